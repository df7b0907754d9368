/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.c -- see guard.h. */
#include "serve/guard.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

int guard_address(const char *listen, char host[static 64], uint16_t *ret_port, struct err *err)
{
    struct str s = str_of(listen), name;
    size_t colon = str_rchr(s, ':');
    uint64_t port;

    if (colon == STR_NONE || !str_u64(str_from(s, colon + 1), &port) || port > 65535)
        return err_set(err, E_ARG, "'%s' is no address: 127.0.0.1:8080, [::1]:8080, localhost:0",
                       listen);
    name = str_first(s, colon);
    if (name.n > 2 && name.p[0] == '[' && name.p[name.n - 1] == ']')
        name = str_first(str_from(name, 1), name.n - 2);
    if (name.n == 0 || name.n > 63)
        return err_set(err, E_ARG, "'%s' names no address to listen on", listen);
    if (str_is(name, "localhost"))
        name = STR("127.0.0.1");
    snprintf(host, 64, STR_FMT, STR_ARG(name));
    *ret_port = (uint16_t)port;
    return 0;
}

bool guard_is_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;

    if (inet_pton(AF_INET, host, &four) == 1)
        return (ntohl(four.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &six) == 1 && IN6_IS_ADDR_LOOPBACK(&six);
}

int guard_check_token(const char *token, struct err *err)
{
    size_t n = strlen(token);

    if (n < GUARD_TOKEN_LEAST || n > GUARD_TOKEN_MOST)
        return err_set(err, E_ARG, "a token has from %d to %d characters", GUARD_TOKEN_LEAST,
                       GUARD_TOKEN_MOST);
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)token[i]) && !strchr("._~-", token[i]))
            return err_set(err, E_ARG, "a token has letters, digits, '.', '_', '~' and '-' only");
    return 0;
}

/* Takes as long for every wrong token. */
static bool same_token(const char *token, struct str said)
{
    size_t n = strlen(token);
    unsigned char differs = said.n != n;

    for (size_t i = 0; i < said.n; i++)
        differs |= (unsigned char)(said.p[i] ^ token[i % n]);
    return differs == 0;
}

static bool cookie_has(const char *cookies, const char *token)
{
    struct str rest = str_of(cookies), name = STR("neph_token=");

    while (rest.n) {
        size_t end = str_chr(rest, ';', 0);
        struct str one = str_trim(end == STR_NONE ? rest : str_first(rest, end));

        if (str_starts(one, name) && same_token(token, str_from(one, name.n)))
            return true;
        rest = end == STR_NONE ? STR("") : str_from(rest, end + 1);
    }
    return false;
}

static bool has_token(const struct serve_opts *o, const struct guard_asks *a)
{
    struct str said = str_of(a->authorization ? a->authorization : "");

    if (said.n > 7 && strncasecmp(said.p, "Bearer ", 7) == 0)
        return same_token(o->token, str_from(said, 7));
    return a->cookie && cookie_has(a->cookie, o->token);
}

/* Is the name in a Host header one of ours? */
static bool host_fits(const struct serve_opts *o, struct str said)
{
    size_t colon = str_rchr(said, ':'), bracket = str_rchr(said, ']');
    char name[256];

    if (colon != STR_NONE && (bracket == STR_NONE || colon > bracket))
        said = str_first(said, colon);
    if (said.n > 2 && said.p[0] == '[' && said.p[said.n - 1] == ']')
        said = str_first(str_from(said, 1), said.n - 2);
    if (said.n == 0 || said.n >= sizeof name)
        return false;
    snprintf(name, sizeof name, STR_FMT, STR_ARG(said));
    if (strcasecmp(name, "localhost") == 0 || guard_is_loopback(name))
        return true;
    for (size_t i = 0; i < o->nnames; i++)
        if (strcasecmp(name, o->names[i]) == 0)
            return true;
    return false;
}

/* Is the origin the server itself, as the client knows it? */
static bool same_origin(const char *origin, const char *host)
{
    struct str o = str_of(origin);

    if (str_starts(o, STR("http://")))
        o = str_from(o, 7);
    else if (str_starts(o, STR("https://")))
        o = str_from(o, 8);
    else
        return false;
    return str_eq(o, str_of(host));
}

static bool listed_origin(const struct serve_opts *o, const char *origin)
{
    for (size_t i = 0; i < o->norigins; i++)
        if (strcmp(o->origins[i], origin) == 0)
            return true;
    return false;
}

struct guard_says guard_judge(const struct serve_opts *o, const struct guard_asks *a)
{
    struct guard_says no = { .status = 403 }, yes = { 0 };

    if (a->hosts > 1)
        return (struct guard_says){ .status = 400, .detail = "there are several Host headers" };
    if (!a->host || (!o->token && !host_fits(o, str_of(a->host)))) {
        no.detail = "the request was sent to another name than this server's; --name NAME adds one";
        return no;
    }
    if (a->origin && !same_origin(a->origin, a->host)) {
        if (!listed_origin(o, a->origin)) {
            no.detail = "a page of another origin asks; --origin ORIGIN lets it";
            return no;
        }
        yes.cors = true;
    }
    /* A link from another page may lead here; an image or a script of one may not. */
    if (!a->origin && a->fetch_site && strcmp(a->fetch_site, "cross-site") == 0 &&
        !(a->reads && a->fetch_mode && strcmp(a->fetch_mode, "navigate") == 0)) {
        no.detail = "a page of another site asks";
        return no;
    }
    if (o->token && !a->preflight && !has_token(o, a)) {
        if (a->reads && a->token && same_token(o->token, str_of(a->token))) {
            yes.take_cookie = true;
            return yes;
        }
        no.status = 401;
        no.detail = "send the token: Authorization: Bearer TOKEN, or open /?token=TOKEN";
        return no;
    }
    return yes;
}
