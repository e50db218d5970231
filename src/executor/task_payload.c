#include "executor/task_payload.h"

arb_code arb_task_payload_read(arb_str bytes, uint32_t task, arb_task_payload *out_payload, arb_error *error)
{
    uint64_t count = 0;
    bool sound = bytes.size > 0 && bytes.size <= 10;
    for (size_t i = 0; sound && i < bytes.size; i++) {
        sound = bytes.data[i] >= '0' && bytes.data[i] <= '9';
        count = count * 10 + (uint64_t)(bytes.data[i] - '0');
    }
    if (!sound || count > UINT32_MAX || task >= count)
        return arb_fail(error, ARB_CORRUPT_DATA, "a task's part of its stage makes no sense");
    out_payload->task_count = (uint32_t)count;
    return ARB_OK;
}
