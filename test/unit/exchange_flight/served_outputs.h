/* served_outputs.h: an executor's store of outputs with known numbers, served over either transport, for tests. */
#ifndef ARB_TEST_SERVED_OUTPUTS_H
#define ARB_TEST_SERVED_OUTPUTS_H

#include "unit/rpc/rpc_world.h"

#include "base/alloc.h"
#include "exchange/block_builder.h"
#include "exchange/output_store.h"
#include "exchange_flight/output_service.h"
#include "rpc/rpc_loop.h"
#include "runtime/cpu_pool.h"

enum { ATTEMPTS = 4, PARTITIONS = 3, UNITS = ATTEMPTS * PARTITIONS, BLOCK_ROWS = 2000 };

static const arb_slot number_slot = {.id = 1, .type = {.id = ARB_TYPE_BIGINT}, .physical = ARB_PHYS_INT64};
static const arb_layout number_layout = {1, &number_slot};
static const arb_uuid served_cluster = {0x1234, 0x5678};

typedef struct outputs {
    world w;
    arb_output_store *store;
    arb_seal_key key;
    arb_output_service *service;
    arb_flight_methods methods;
    arb_flight_service flight;
    arb_rpc_service entry;
    arb_rpc_server_options options;
    char address[64];
    const char *addresses[1];
    arb_rpc_loop loop;
    arb_cpu_pool *pool;
    arb_task_group group;
    arb_task task;
} outputs;

static inline arb_block_origin origin_of(uint32_t task)
{
    return (arb_block_origin){
        .job_term = 1, .job = 2, .stage = 3, .task = task, .attempt_term = 1, .attempt = 100 + (uint64_t)task};
}

/* How many blocks attempt `task` has in the partition; some have none. */
static inline int blocks_of(uint32_t task, uint32_t partition)
{
    return (int)(task * 5 + partition * 3) % 7;
}

static inline int64_t number_of(uint32_t task, uint32_t partition, int at)
{
    return task * 10000 + partition * 100 + at;
}

static inline void add_block(arb_output_store *store, arb_attempt_output *output, uint32_t partition, int at,
                             int64_t number)
{
    arb_error error = {0};
    arb_block_builder builder;
    arb_block block;
    arb_block_origin of = *arb_attempt_output_origin(output);
    static const uint16_t rows[BLOCK_ROWS];
    size_t taken;
    arb_vector vector = {.physical = ARB_PHYS_INT64, .values.i64 = &number};
    const arb_vector *columns[] = {&vector};
    of.partition = partition;
    assert_int_equal(arb_block_builder_init(&builder, &number_layout, &error), ARB_OK);
    assert_int_equal(arb_block_builder_append(&builder, columns, rows, BLOCK_ROWS, &taken, &error), ARB_OK);
    assert_int_equal(arb_block_builder_seal(&builder, &of, &block, &error), ARB_OK);
    arb_block_builder_reset(&builder);
    assert_int_equal(arb_output_store_add(store, output, partition, &block, (arb_block_place){0, (uint64_t)at}, &error),
                     ARB_OK);
}

static inline void fill_store(outputs *o)
{
    arb_error error = {0};
    arb_arrow_schema *schema;
    assert_int_equal(arb_block_schema(&number_layout, &schema, &error), ARB_OK);
    for (uint32_t task = 0; task < ATTEMPTS; task++) {
        arb_attempt_output *output;
        arb_block_origin origin = origin_of(task);
        assert_int_equal(arb_output_store_begin(o->store, &origin, PARTITIONS, &output, &error), ARB_OK);
        arb_attempt_output_describe(output, schema);
        for (uint32_t p = 0; p < PARTITIONS; p++)
            for (int i = 0; i < blocks_of(task, p); i++)
                add_block(o->store, output, p, i, number_of(task, p, i));
        arb_output_store_keep(o->store, output);
        arb_attempt_output_unref(output);
    }
    arb_arrow_schema_unref(schema);
}

static inline arb_task_result never(arb_task *task, int64_t deadline_ns)
{
    (void)task, (void)deadline_ns;
    return ARB_TASK_DONE;
}

/* A second time at the same address. */
static inline void serve(outputs *o)
{
    arb_error error = {0};
    assert_int_equal(world_serve(&o->w, &o->options, &error), ARB_OK);
    if (o->w.kind == OVER_GRPC && o->options.address_count == 0) {
        snprintf(o->address, sizeof o->address, "127.0.0.1:%d", arb_rpc_server_port(o->w.server, 0));
        o->addresses[0] = o->address;
        o->options.addresses = o->addresses;
        o->options.address_count = 1;
    }
}

/* `memory` bytes of the outputs stay in memory. */
static inline void begin(outputs *o, void **state, uint64_t memory)
{
    arb_error error = {0};
    *o = (outputs){0};
    world_begin(&o->w, state);
    assert_int_equal(arb_output_store_create(memory, NULL, "/tmp", &o->store, &error), ARB_OK);
    assert_int_equal(arb_seal_key_make(&o->key, &error), ARB_OK);
    assert_int_equal(arb_output_service_create(o->store, &o->key, &o->service, &error), ARB_OK);
    arb_output_service_set_cluster(o->service, served_cluster);
    o->methods.do_get = arb_output_service_do_get;
    o->flight = (arb_flight_service){&o->methods, o->service};
    o->entry = arb_flight_service_entry(&o->flight);
    o->options = (arb_rpc_server_options){.services = &o->entry, .service_count = 1, .limits.send_window = 500};
    assert_int_equal(arb_rpc_loop_start(&o->loop, "test", &error), ARB_OK);
    assert_int_equal(arb_cpu_pool_create(1, &o->pool, &error), ARB_OK);
    arb_task_group_init(&o->group, o->pool);
    o->task = (arb_task){.run = never, .group = &o->group};
    serve(o);
    arb_rpc_channel_options options = {.limits.receive_window = 64 << 10};
    assert_int_equal(world_connect(&o->w, &options, &error), ARB_OK);
    assert_int_equal(arb_rpc_channel_wait_ready(o->w.channel, in_ms(20000), &error), ARB_OK);
    fill_store(o);
}

static inline void stop_serving(outputs *o)
{
    arb_rpc_server_destroy(o->w.server);
    o->w.server = NULL;
}

static inline void end(outputs *o)
{
    arb_rpc_channel_destroy(o->w.channel);
    o->w.channel = NULL;
    stop_serving(o);
    arb_output_service_destroy(o->service);
    arb_output_store_destroy(o->store);
    world_end(&o->w);
    arb_rpc_loop_stop(&o->loop);
    arb_cpu_pool_destroy(o->pool);
}

#endif
