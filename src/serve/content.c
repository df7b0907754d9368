/* SPDX-License-Identifier: Apache-2.0
 *
 * content.c -- see content.h. */
#include "serve/content.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>
#include <zlib.h>

const char *content_type(struct str name)
{
    static const char *const types[][2] = {
        { ".html", "text/html; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" },
        { ".css", "text/css; charset=utf-8" },
        { ".svg", "image/svg+xml" },
        { ".json", "application/json" },
        { ".png", "image/png" },
        { ".ico", "image/x-icon" },
        { ".woff2", "font/woff2" },
        { ".map", "application/json" },
        { ".webmanifest", "application/manifest+json" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (str_ends(name, str_of(types[i][0])))
            return types[i][1];
    return "application/octet-stream";
}

/* "gzip;q=0.8": is it wanted at all? */
static bool is_wanted(struct str parameters)
{
    size_t q = str_find(parameters, STR("q="), 0);

    if (q == STR_NONE)
        return true;
    for (size_t i = q + 2; i < parameters.n; i++) {
        if (parameters.p[i] >= '1' && parameters.p[i] <= '9')
            return true;
        if (parameters.p[i] != '0' && parameters.p[i] != '.')
            break;
    }
    return false;
}

bool content_takes_gzip(const char *accept)
{
    struct str rest = str_of(accept ? accept : "");

    while (rest.n) {
        size_t comma = str_chr(rest, ',', 0);
        struct str one = comma == STR_NONE ? rest : str_first(rest, comma);
        size_t semicolon = str_chr(one, ';', 0);
        struct str name = str_trim(semicolon == STR_NONE ? one : str_first(one, semicolon));

        if (name.n == 4 && strncasecmp(name.p, "gzip", 4) == 0)
            return semicolon == STR_NONE || is_wanted(str_from(one, semicolon + 1));
        rest = comma == STR_NONE ? STR("") : str_from(rest, comma + 1);
    }
    return false;
}

static bool is_loopback(const struct sockaddr *peer)
{
    struct in6_addr six;
    struct in_addr four;

    if (peer->sa_family == AF_INET) {
        memcpy(&four, &((const struct sockaddr_in *)(const void *)peer)->sin_addr, sizeof four);
        return ntohl(four.s_addr) >> 24 == 127;
    }
    memcpy(&six, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr, sizeof six);
    return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

bool content_is_far(const struct sockaddr *peer, bool forwarded)
{
    return forwarded || (peer && !is_loopback(peer));
}

void content_compress(struct reply *r)
{
    enum { LEAST = 4096, LEVEL = 1, GZIP = 15 + 16, MEMORY = 8 };
    z_stream z = { 0 };

    if (r->body.n < LEAST || r->body.n > UINT32_MAX / 2 ||
        deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return;
    uLong most = deflateBound(&z, r->body.n);
    char *out = malloc(most);
    z.next_in = (Bytef *)r->body.p;
    z.avail_in = (uInt)r->body.n;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)most;
    if (out && deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out < r->body.n) {
        sbuf_free(&r->body);
        r->body = (struct sbuf){ out, z.total_out, most };
        r->gzip = true;
        out = NULL;
    }
    free(out);
    deflateEnd(&z);
}
