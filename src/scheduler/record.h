/* record.h: flat records, as the state store keeps them.
 *
 * Numbers in seven bits a byte, low ones first, the highest bit saying that more follow; texts as size and bytes. A
 * record begins with its version. Readers take nothing on trust: they check against what is left, and remember the first
 * failure, so that a sequence of reads is checked once at its end. */
#ifndef ARB_SCHEDULER_RECORD_H
#define ARB_SCHEDULER_RECORD_H

#include "scheduler/control.h"

/* Appending; failures are kept in the text (arb_text_check). */
void arb_record_put_number(arb_text *record, uint64_t number);
void arb_record_put_text(arb_text *record, arb_str text);
void arb_record_put_id(arb_text *record, arb_id id);
void arb_record_put_uuid(arb_text *record, arb_uuid uuid);

typedef struct arb_record_reader {
    arb_str left;
    bool broken; /* sticky; everything read since is zero */
} arb_record_reader;

uint64_t arb_record_number(arb_record_reader *reader);
/* Numbers above `most` are broken. */
uint64_t arb_record_number_most(arb_record_reader *reader, uint64_t most);
arb_str arb_record_text(arb_record_reader *reader); /* borrowed from the record */
arb_id arb_record_id(arb_record_reader *reader);
arb_uuid arb_record_uuid(arb_record_reader *reader);
/* How many of something that takes `least_size` bytes each follow; more than can be there are broken. */
uint64_t arb_record_count(arb_record_reader *reader, uint64_t most, size_t least_size);
/* ARB_CORRUPT_DATA when something was broken or bytes are left over. */
ARB_NODISCARD arb_code arb_record_end(const arb_record_reader *reader, const char *what, arb_error *error);

#endif
