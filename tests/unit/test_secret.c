/* SPDX-License-Identifier: Apache-2.0
 *
 * test_secret.c -- what is masked in log texts, and what must not be. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/secret.h"

#include <stdlib.h>

static void becomes(const char *in, const char *want)
{
    struct sbuf out = { 0 };

    if (!secret_mask(str_of(in), &out))
        fail_msg("not masked: %s", in);
    assert_string_equal(out.p, want);
    struct sbuf again = { 0 };
    assert_false(secret_mask(sbuf_view(&out), &again)); /* masking is done once */
    sbuf_free(&again);
    sbuf_free(&out);
}

static void stays(const char *in)
{
    struct sbuf out = { 0 };

    if (secret_mask(str_of(in), &out))
        fail_msg("masked: %s", out.p);
    assert_null(out.p);
}

static void headers(void **state)
{
    (void)state;
    becomes("curl -H \"X-Auth-Token: {SHA1}3e61af6c6f45250166d1cbef4a1e62a025dcf13a\" -H \"A: b\"",
            "curl -H \"X-Auth-Token: ***\" -H \"A: b\"");
    becomes("-H \"X-Auth-Token: {SHA256}bc62945e67beb9a5659c84c6f8cb681eaf7b0ef4a44313bd\"",
            "-H \"X-Auth-Token: ***\"");
    becomes("x-subject-token: abcdef Vary: X", "x-subject-token: *** Vary: X");
    becomes("X-Service-Token: 0123456789abcdef", "X-Service-Token: ***");
    becomes("Authorization: Basic dXNlcjpwdw==\nA: b", "Authorization: Basic ***\nA: b");
    becomes("'Authorization': 'Bearer abc.def'", "'Authorization': '***'");
    becomes("sent {SHA256}bc62945e67beb9a5659c84c6f8cb681e today", "sent *** today");
}

static void json_and_python(void **state)
{
    (void)state;
    becomes("{\"password\": \"s3cr\\\"et\", \"name\": \"bob\"}",
            "{\"password\": \"***\", \"name\": \"bob\"}");
    becomes("{'password': u's3cret', 'user': u'bob'}", "{'password': u'***', 'user': u'bob'}");
    becomes("{u'adminPass': u'xY7', u'id': 1}", "{u'adminPass': u'***', u'id': 1}");
    becomes("{'_context_auth_token': 'abc123', 'a': 'b'}",
            "{'_context_auth_token': '***', 'a': 'b'}");
    becomes("auth_token=abc123, user=x", "auth_token=***, user=x");
    becomes("\"{\\\"auth_password\\\": \\\"pw\\\", \\\"a\\\": 1}\"",
            "\"{\\\"auth_password\\\": \\\"***\\\", \\\"a\\\": 1}\"");
    becomes("{'auth': {'passwordCredentials': {'username': 'nova', 'password': 'pw'}}}",
            "{'auth': {'passwordCredentials': {'username': 'nova', 'password': '***'}}}");
    becomes("{'token': u'9140fa67-ae49-4a80-b4e9-b25c72fb5181'", "{'token': u'***'");
    becomes("'password': 'cut off", "'password': '***");
    becomes("'secret': 'a', 'hmac_keys': 'b', 'api_key': 'c'",
            "'secret': '***', 'hmac_keys': '***', 'api_key': '***'");
    becomes("PASSWORD=x OS_TOKEN=y CLIENT_SECRET=z", "PASSWORD=*** OS_TOKEN=*** CLIENT_SECRET=***");
    becomes("passphrase: open sesame", "passphrase: *** sesame");
}

static void console_urls(void **state)
{
    (void)state;
    becomes("http://10.0.0.1:6080/vnc_auto.html?token=9140fa67-ae49-4a80-b4e9-b25c72fb5181",
            "http://10.0.0.1:6080/vnc_auto.html?token=***");
    becomes("u'http://h/vnc_lite.html?path=%3Ftoken%3D9140fa67', 'x': 1",
            "u'http://h/vnc_lite.html?path=%3Ftoken%3D***', 'x': 1");
    becomes("?token=abc&x=1", "?token=***&x=1");
    becomes("Received Token: 9140fa67-ae49-4a80-b4e9-b25c72fb5181, {'a': 1}",
            "Received Token: ***, {'a': 1}");
}

static void connection_urls(void **state)
{
    (void)state;
    becomes("mysql+pymysql://neutron:pw@10.0.0.1/neutron?charset=utf8",
            "mysql+pymysql://neutron:***@10.0.0.1/neutron?charset=utf8");
    becomes("rabbit://a:p@ss@h1:5672,b:q@h2:5672/", "rabbit://a:***@h1:5672,b:***@h2:5672/");
    becomes("transport_url = 'rabbit://guest:guest@[::1]:5672//'",
            "transport_url = 'rabbit://guest:***@[::1]:5672//'");
}

static void token_forms(void **state)
{
    (void)state;
    becomes("got gAAAAABjfQx0-_abcdefghijklmnopqrstuvwxyz0123456789== ok", "got *** ok");
    becomes("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nrest",
            "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----\nrest");
    becomes("key: -----BEGIN PRIVATE KEY-----\nMIIE cut", "key: -----BEGIN PRIVATE KEY-----***");
}

static void options(void **state)
{
    (void)state;
    becomes("openstack --os-password pw --os-username u",
            "openstack --os-password *** --os-username u");
    becomes("['--os-token', 'abc', 'x']", "['--os-token', '***', 'x']");
    becomes("--password=pw x", "--password=*** x");
}

static void not_secret(void **state)
{
    (void)state;
    stays("");
    stays("Lock \"neutron_admin_auth_token_lock\" acquired by \"f\" :: waited 0.000s");
    stays("X-Openstack-Request-Id: req-68d40e67-fae1-4942-b003-b35a945b9e51");
    stays("instance 9140fa67-ae49-4a80-b4e9-b25c72fb5181 is running");
    stays("GET http://10.0.0.100:35357/v3/auth/tokens");
    stays("{'access_token_id': None, 'token': <KeystoneToken (audit_id=AZ3E) at 0x7f72>}");
    stays("Truncating password to algorithm specific maximum length 72 characters.");
    stays("user_password_expires_at: 2026-01-01");
    stays("transport_url = ****, password = ****");
    stays("Validating token access rules against request");
    stays("'password': None, \"password\": null, 'secret': '', token: True");
    stays("http://user@host/path and rabbit://h1:5672,h2:5672/");
    stays("memory 64 MB {SHA1} gAAAAx PRIVATE KEY- :// ");
    stays("max_token_size = 255, ssl_key_file = /etc/x");
}

static const char *const samples[] = {
    "curl -H \"X-Auth-Token: {SHA1}3e61af6c6f45250166d1cbef4a1e62a025dcf13a\" -d '{\"password\": "
    "\"x\"}'",
    "{u'adminPass': u'xY7', 'u': 'rabbit://a:p@h1:5672,b:q@h2/', '--os-token', 'abc'}",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n "
    "gAAAAABjfQx0abcdefghijklmnop",
    "Authorization: Basic dXNl \\\"auth_password\\\": \\\"pw\\\" ?token%3Dabc passphrase=> x",
};

static void feed(const char *text, size_t n)
{
    char *copy = malloc(n ? n : 1);
    struct sbuf out = { 0 };

    assert_non_null(copy);
    memcpy(copy, text, n);
    if (!secret_mask((struct str){ copy, n }, &out))
        assert_null(out.p);
    sbuf_free(&out);
    free(copy);
}

static void every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        for (size_t n = 0; n <= strlen(samples[i]); n++)
            feed(samples[i], n);
    }
}

static void random_mutations(void **state)
{
    uint32_t seed = 4711;
    char text[512];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        const char *s = samples[(size_t)round % ARRAY_SIZE(samples)];
        size_t n = strlen(s);

        memcpy(text, s, n);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            text[(seed >> 8) % n] = (char)(seed >> 24);
        }
        feed(text, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers),          cmocka_unit_test(json_and_python),
        cmocka_unit_test(console_urls),     cmocka_unit_test(connection_urls),
        cmocka_unit_test(token_forms),      cmocka_unit_test(options),
        cmocka_unit_test(not_secret),       cmocka_unit_test(every_prefix),
        cmocka_unit_test(random_mutations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
