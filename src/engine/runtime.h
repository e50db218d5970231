/* runtime.h: what sessions share: processors, memory, open files. Several runtimes can live in one process.
 *
 * Nothing is started or opened before it is needed: the threads of the pool start with the first query that has work
 * for them. */
#ifndef ARB_ENGINE_RUNTIME_H
#define ARB_ENGINE_RUNTIME_H

#include "catalog/file_cache.h"
#include "catalog/table_sample.h"
#include "runtime/cpu_pool.h"
#include "runtime/io_pool.h"
#include "runtime/memory.h"

typedef struct arb_runtime arb_runtime;

typedef struct arb_runtime_options {
    unsigned threads;         /* 0: as many as the process may use */
    uint64_t memory_limit;    /* bytes; 0: 70 % of what the machine or the control group has */
    const char *spill_folder; /* copied; NULL: the system's temporary folder */
    size_t descriptors;       /* of files to read that are open; 0: what suits the process (io/descriptor_pool.h) */
} arb_runtime_options;

/* What sessions may open by path: they read beneath some folders and write beneath others, see catalog/file_access.h. */
typedef struct arb_runtime_access {
    const arb_roots *read, *write;
} arb_runtime_access;

ARB_NODISCARD arb_code arb_runtime_create(const arb_runtime_options *options, arb_runtime **out_runtime,
                                          arb_error *error);
/* All sessions must be gone. NULL is a no-op. */
void arb_runtime_destroy(arb_runtime *runtime);

/* For a server: from now on sessions open nothing else. What is pointed to outlives the runtime. Before sessions use it. */
void arb_runtime_restrict(arb_runtime *runtime, const arb_runtime_access *access);
/* Where sessions may write; NULL: everywhere. */
const arb_roots *arb_runtime_write_roots(const arb_runtime *runtime);

arb_governor *arb_runtime_governor(arb_runtime *runtime);
arb_file_cache *arb_runtime_file_cache(arb_runtime *runtime);
/* What was seen of tables, for the planner's estimates. */
arb_sample_cache *arb_runtime_sample_cache(arb_runtime *runtime);
/* The account that tables in memory are kept on. */
arb_memory *arb_runtime_table_memory(arb_runtime *runtime);
/* The formats that this build reads, and those that it knows by name only. */
const arb_file_formats *arb_runtime_formats(const arb_runtime *runtime);
/* The pools, made at the first call. */
ARB_NODISCARD arb_code arb_runtime_pools(arb_runtime *runtime, arb_cpu_pool **out_cpu, arb_io_pool **out_io,
                                         arb_error *error);

unsigned arb_runtime_threads(const arb_runtime *runtime);
/* Takes effect with the next query; ARB_CONFIGURATION while one runs, or for a number that makes no sense. */
ARB_NODISCARD arb_code arb_runtime_set_threads(arb_runtime *runtime, unsigned threads, arb_error *error);
void arb_runtime_set_memory_limit(arb_runtime *runtime, uint64_t bytes); /* 0: the default */
uint64_t arb_runtime_memory_limit(const arb_runtime *runtime);
const char *arb_runtime_spill_folder(const arb_runtime *runtime); /* valid until it is set */
ARB_NODISCARD arb_code arb_runtime_set_spill_folder(arb_runtime *runtime, const char *folder, arb_error *error);

/* Queries that use the pool are counted, so that it is not changed under them. */
void arb_runtime_query_begins(arb_runtime *runtime);
void arb_runtime_query_ends(arb_runtime *runtime);

#endif
