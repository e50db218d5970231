/* ipc_frame.h: what stands in front of a message's description, for all who write or find it in bytes; see ipc_format.h. */
#ifndef ARB_COLUMNAR_IPC_IPC_FRAME_H
#define ARB_COLUMNAR_IPC_IPC_FRAME_H

#include "base/compiler.h"
#include "columnar/ipc/ipc_format.h"

enum { IPC_FRAME_BYTES = 8 };

/* `size` counts the description with its padding; 0 is the end of a stream. */
ARB_INLINE void arb_ipc_frame_write(uint8_t *out_frame, size_t size)
{
    arb_store_u32(out_frame, (uint32_t)IPC_CONTINUATION);
    arb_store_u32(out_frame + 4, (uint32_t)size);
}

/* Where the description lies in bytes that begin with its frame, also an old one of a single word. False when it is not whole. */
ARB_INLINE bool arb_ipc_frame_read(const uint8_t *bytes, size_t size, const uint8_t **out_description, size_t *out_size)
{
    size_t frame = size >= 4 && arb_load_i32(bytes) == IPC_CONTINUATION ? IPC_FRAME_BYTES : 4;
    int32_t description = size >= frame ? arb_load_i32(bytes + frame - 4) : -1;
    if (description < 0 || (size_t)description > size - frame)
        return false;
    *out_description = bytes + frame;
    *out_size = (size_t)description;
    return true;
}

#endif
