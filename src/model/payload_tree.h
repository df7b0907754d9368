/* SPDX-License-Identifier: Apache-2.0
 *
 * payload_tree.h -- a value written as JSON or as a Python literal.
 *
 * Log lines carry JSON bodies, and just as often the str() of a Python dict.
 * One tolerant reader turns both into a small tree of views: what is cut off
 * or broken leaves the complete leading members readable, which no JSON
 * library does.  Object reprs such as VIF({...}) count as what is inside the
 * brackets; Foo(a=1) and <Foo at 0x1> are kept as raw text. */
#ifndef MODEL_PAYLOAD_TREE_H
#define MODEL_PAYLOAD_TREE_H

#include "base/mem.h"
#include "base/str.h"

enum tree_kind {
    TREE_NULL,   /* null, None                                    */
    TREE_BOOL,   /* true, True, false, False: the text is as written */
    TREE_NUMBER, /* the text is as written                        */
    TREE_TEXT,   /* a string, escapes resolved                    */
    TREE_LIST,   /* list, tuple or set                            */
    TREE_OBJECT, /* JSON object or Python dict                    */
    TREE_RAW,    /* any other Python repr, as written             */
};

struct tree {
    enum tree_kind kind;
    struct str key;     /* name in the object above; empty in a list     */
    struct str text;    /* the value; of lists and objects, their source */
    struct tree *child; /* first member                                  */
    struct tree *next;  /* next member of the list or object above       */
};

enum tree_end {
    TREE_COMPLETE, /* read to its closing bracket                           */
    TREE_CUT,      /* the text ends first: '*ret' has the complete members  */
    TREE_BAD,      /* not a value, too deep or too big: same, as far as read */
};

/* Reads one value at byte '*at' of 'text' and moves '*at' behind it.  The tree
 * lives in 'a' and holds views of 'text'.  '*ret' is NULL when nothing could
 * be read.  Nesting is bounded by LIMIT_JSON_DEPTH, members by the size of
 * the text, which must not exceed LIMIT_LOG_FACT_BYTES. */
enum tree_end tree_read(struct str text, size_t *at, struct arena *a, struct tree **ret);

/* The node at a dotted path such as "port.id" or "ports.0.id"; NULL if there is
 * none.  A key that holds dots itself is found as well. */
const struct tree *tree_at(const struct tree *t, struct str path);
/* The text at 'path'; empty when absent or unknown (null, None). */
struct str tree_get(const struct tree *t, const char *path);
/* The text of direct member 'key', without looking at dots. */
struct str tree_member(const struct tree *t, const char *key);
/* The number at 'path'.  False, and '*ret' untouched, when it is not an integer. */
bool tree_i64(const struct tree *t, const char *path, int64_t *ret);
/* Members of a list or object. */
size_t tree_count(const struct tree *t);

#endif
