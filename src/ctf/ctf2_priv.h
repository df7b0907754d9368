/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf2_priv.h -- what the parts of the CTF 2 metadata reader share: ctf2.c reads
 * fragments, ctf2_type.c field classes, ctf2_json.c members of JSON objects. */
#ifndef CTF_CTF2_PRIV_H
#define CTF_CTF2_PRIV_H

#include "ctf/meta.h"

#include <jansson.h>

struct ctf2_alias {
    struct str name;
    struct ctf_type *type;
};

struct ctf2 {
    struct ctf_meta *meta;
    struct notes *notes;
    const char *where;
    VEC(struct ctf2_alias) aliases;
    bool has_trace;
    int depth; /* of field classes */
};

/* Parses one JSON text.  Integers over INT64_MAX, which jansson refuses, are
 * kept: see ctf2_range().  'line' is where the text starts. */
json_t *ctf2_json(struct str text, uint32_t line, struct err *err);

/* A member of 'o': 0 and the value, or -E_*.  Without it '*ret' is untouched
 * unless 'needed'. */
int ctf2_u64(const json_t *o, const char *key, bool needed, uint64_t *ret, struct err *err);
int ctf2_i64(const json_t *o, const char *key, bool needed, int64_t *ret, struct err *err);
/* The text is copied to 'mem'. */
int ctf2_str(struct arena *mem, const json_t *o, const char *key, bool needed, struct str *ret,
             struct err *err);
/* An object or array ('type') or NULL; another type is an error. */
int ctf2_child(const json_t *o, const char *key, json_type type, bool needed, const json_t **ret,
               struct err *err);
/* [lo, hi] with lo <= hi.  '*ret_negative', '*ret_big' are set if an end is. */
int ctf2_range(const json_t *pair, struct ctf_enum_map *ret, bool *ret_negative, bool *ret_big,
               struct err *err);

/* Looks at the names of the properties of 'o', which is 'what' ("a structure"): one that is
 * not among 'known', separated by blanks, becomes a note, as do extensions, because
 * they have no effect.  Both attributes and extensions must be objects. */
int ctf2_properties(const struct ctf2 *c, const json_t *o, const char *what, const char *known,
                    struct err *err);

/* A field class: an object, or the name of an alias. */
int ctf2_type(struct ctf2 *c, const json_t *fc, struct ctf_type **ret, struct err *err);

#endif
