#include "executor/task_settings.h"

#include "proto/task_settings.pb-c.h"
#include "wire/wire.h"

arb_code arb_task_settings_write(const arb_task_settings *settings, arb_text *out, arb_error *error)
{
    Arbalest__Task__TaskSettings message;
    arbalest__task__task_settings__init(&message);
    message.batch_rows = settings->batch_rows;
    message.force_spill = settings->force_spill;
    message.force_async_io = settings->force_async_io;
    message.outputs_in_files = settings->outputs_in_files;
    return arb_wire_pack(&message.base, out, error);
}

arb_code arb_task_settings_read(arb_str bytes, arb_task_settings *out, arb_error *error)
{
    arb_arena arena = {0};
    ProtobufCMessage *message;
    arb_code code =
        arb_wire_unpack(&arbalest__task__task_settings__descriptor, &arena, bytes.data, bytes.size, &message, error);
    if (code == ARB_OK) {
        const Arbalest__Task__TaskSettings *said = (const Arbalest__Task__TaskSettings *)message;
        *out = (arb_task_settings){said->batch_rows, said->force_spill, said->force_async_io, said->outputs_in_files};
        if (out->batch_rows > ARB_VECTOR_ROWS)
            code = arb_fail(error, ARB_CORRUPT_DATA, "batches of %u rows", out->batch_rows);
    }
    arb_arena_reset(&arena);
    return code;
}

void arb_task_settings_apply(const arb_task_settings *settings, arb_execution_options *execution)
{
    execution->batch_rows = settings->batch_rows;
    execution->force_spill = settings->force_spill;
    execution->force_async_io = settings->force_async_io;
}
