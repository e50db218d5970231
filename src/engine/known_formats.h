/* known_formats.h: the file formats of this build. */
#ifndef ARB_ENGINE_KNOWN_FORMATS_H
#define ARB_ENGINE_KNOWN_FORMATS_H

#include "catalog/file_format.h"

extern const arb_file_formats arb_known_formats;

#endif
