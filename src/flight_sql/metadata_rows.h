/* metadata_rows.h: what the server says of itself and of its types, for catalog_rows.c, which answers all listings. */
#ifndef ARB_FLIGHT_SQL_METADATA_ROWS_H
#define ARB_FLIGHT_SQL_METADATA_ROWS_H

#include "flight_sql/arrow_rows.h"
#include "flight_sql/sql_service_internal.h"

/* sql_info.c: CommandGetSqlInfo */
ARB_NODISCARD arb_code arb_sql_info_schema(arb_arrow_schema **out_schema, arb_error *error);
ARB_NODISCARD arb_code arb_sql_info_array(const arb_sql_service *service, const ProtobufCMessage *asked,
                                          arb_arrow_schema *schema, arb_arrow_array **out_array, arb_error *error);
/* type_info.c: CommandGetXdbcTypeInfo */
ARB_NODISCARD arb_code arb_type_info_schema(arb_arrow_schema **out_schema, arb_error *error);
/* Returns how many. */
size_t arb_type_info_fill(const ProtobufCMessage *asked, arb_rows *rows);

#endif
