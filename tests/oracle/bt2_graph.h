/* SPDX-License-Identifier: Apache-2.0
 *
 * bt2_graph.h -- reading traces with libbabeltrace2: one source per trace
 * folder, its muxer, and a function of ours for every event. */
#ifndef TESTS_ORACLE_BT2_GRAPH_H
#define TESTS_ORACLE_BT2_GRAPH_H

#include <babeltrace2/babeltrace.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct bt2_reading {
    void (*on_event)(void *ctx, const bt_message *msg, const bt_event *ev);
    void *ctx;
    bt_message_iterator *it;
};

static bt_graph_simple_sink_component_initialize_func_status bt2_init(bt_message_iterator *it,
                                                                      void *data)
{
    struct bt2_reading *r = data;

    r->it = it;
    bt_message_iterator_get_ref(it);
    return BT_GRAPH_SIMPLE_SINK_COMPONENT_INITIALIZE_FUNC_STATUS_OK;
}

static bt_graph_simple_sink_component_consume_func_status bt2_consume(bt_message_iterator *it,
                                                                      void *data)
{
    struct bt2_reading *r = data;
    bt_message_array_const msgs;
    uint64_t n;

    switch (bt_message_iterator_next(it, &msgs, &n)) {
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_OK: break;
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_END:
        return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_END;
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_AGAIN:
        return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_AGAIN;
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_MEMORY_ERROR:
    case BT_MESSAGE_ITERATOR_NEXT_STATUS_ERROR:
    default: return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_ERROR;
    }
    for (uint64_t i = 0; i < n; i++) {
        if (bt_message_get_type(msgs[i]) == BT_MESSAGE_TYPE_EVENT)
            r->on_event(r->ctx, msgs[i], bt_message_event_borrow_event_const(msgs[i]));
        bt_message_put_ref(msgs[i]);
    }
    return BT_GRAPH_SIMPLE_SINK_COMPONENT_CONSUME_FUNC_STATUS_OK;
}

static void bt2_finalize(void *data)
{
    struct bt2_reading *r = data;

    if (r->it)
        bt_message_iterator_put_ref(r->it);
}

/* Adds the trace in folder 'dir' and connects its streams to the muxer, whose
 * next free input is number '*in'. */
static bool bt2_add(bt_graph *graph, const bt_plugin *ctf, const char *dir, const char *name,
                    const bt_component_filter *muxer, uint64_t *in)
{
    const bt_component_class_source *cls =
        bt_plugin_borrow_source_component_class_by_name_const(ctf, "fs");
    const bt_component_source *src;
    bt_value *params = bt_value_map_create(), *inputs = NULL;
    bool ok;

    bt_value_map_insert_empty_array_entry(params, "inputs", &inputs);
    bt_value_array_append_string_element(inputs, dir);
    ok = bt_graph_add_source_component(graph, cls, name, params, BT_LOGGING_LEVEL_NONE, &src) ==
         BT_GRAPH_ADD_COMPONENT_STATUS_OK;
    bt_value_put_ref(params);
    if (!ok)
        return false;
    uint64_t n = bt_component_source_get_output_port_count(src);
    for (uint64_t i = 0; i < n; i++) {
        const bt_port_output *out = bt_component_source_borrow_output_port_by_index_const(src, i);
        const bt_port_input *to =
            bt_component_filter_borrow_input_port_by_index_const(muxer, (*in)++);

        if (bt_graph_connect_ports(graph, out, to, NULL) != BT_GRAPH_CONNECT_PORTS_STATUS_OK)
            return false;
    }
    return true;
}

static bool bt2_build(bt_graph *graph, const bt_plugin *ctf, const bt_plugin *utils,
                      const char *const *dirs, size_t ndirs, struct bt2_reading *r, uint64_t *in)
{
    const bt_component_filter *muxer;
    const bt_component_sink *sink;
    char name[32];

    if (bt_graph_add_filter_component(
            graph, bt_plugin_borrow_filter_component_class_by_name_const(utils, "muxer"), "muxer",
            NULL, BT_LOGGING_LEVEL_NONE, &muxer) != BT_GRAPH_ADD_COMPONENT_STATUS_OK ||
        bt_graph_add_simple_sink_component(graph, "ours", bt2_init, bt2_consume, bt2_finalize, r,
                                           &sink) != BT_GRAPH_ADD_COMPONENT_STATUS_OK)
        return false;
    for (size_t i = 0; i < ndirs; i++) {
        snprintf(name, sizeof name, "trace%zu", i);
        if (!bt2_add(graph, ctf, dirs[i], name, muxer, in))
            return false;
    }
    return bt_graph_connect_ports(graph,
                                  bt_component_filter_borrow_output_port_by_index_const(muxer, 0),
                                  bt_component_sink_borrow_input_port_by_index_const(sink, 0),
                                  NULL) == BT_GRAPH_CONNECT_PORTS_STATUS_OK;
}

/* Calls 'on_event' for all events of the traces in order of time.  False if
 * libbabeltrace2 refused a trace or gave up half way; it has then left its
 * reasons with the thread (bt_current_thread_take_error). */
static inline bool bt2_read(const char *const *dirs, size_t ndirs,
                            void (*on_event)(void *, const bt_message *, const bt_event *),
                            void *ctx)
{
    struct bt2_reading r = { on_event, ctx, NULL };
    const bt_plugin *ctf = NULL, *utils = NULL;
    bt_graph *graph = bt_graph_create(0);
    uint64_t in = 0;
    bool ok = bt_plugin_find("ctf", BT_FALSE, BT_FALSE, BT_TRUE, BT_FALSE, BT_TRUE, &ctf) ==
                  BT_PLUGIN_FIND_STATUS_OK &&
              bt_plugin_find("utils", BT_FALSE, BT_FALSE, BT_TRUE, BT_FALSE, BT_TRUE, &utils) ==
                  BT_PLUGIN_FIND_STATUS_OK &&
              bt2_build(graph, ctf, utils, dirs, ndirs, &r, &in);

    if (ok && in > 0) {
        bt_graph_run_status status;

        do
            status = bt_graph_run(graph);
        while (status == BT_GRAPH_RUN_STATUS_AGAIN);
        ok = status == BT_GRAPH_RUN_STATUS_OK;
    }
    bt_graph_put_ref(graph);
    bt_plugin_put_ref(ctf);
    bt_plugin_put_ref(utils);
    return ok;
}

#endif
