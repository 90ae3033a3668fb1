/*
 * What compiled programs have burnt in: changing a line here breaks them, and needs a new ZT_ABI_VERSION.
 * Compiled by the tests, never run. A new status is a new line.
 */
#include <zt.h>

#define IS(constant, number) _Static_assert((constant) == (number), #constant " must stay " #number)

IS(ZT_ABI_VERSION, 1);

_Static_assert(sizeof(zt_status) == 4, "zt_status is 32 bits");
_Static_assert((zt_status)-1 < 0, "zt_status is signed");
_Static_assert(sizeof(size_t) == sizeof(void *), "lengths are as wide as pointers");

_Static_assert(sizeof(struct ArrowSchema) == 72 || sizeof(void *) != 8, "as the Arrow C data interface lays it down");
_Static_assert(sizeof(struct ArrowArray) == 80 || sizeof(void *) != 8, "as the Arrow C data interface lays it down");
_Static_assert(sizeof(zt_setting) == 2 * sizeof(void *), "two pointers");
_Static_assert(sizeof(zt_open_options) == 3 * sizeof(void *), "grows at its end only");
_Static_assert(offsetof(zt_open_options, struct_size) == 0, "read first");
_Static_assert(offsetof(zt_open_options, settings) == sizeof(void *), "stays");
_Static_assert(offsetof(zt_open_options, setting_count) == 2 * sizeof(void *), "stays");
_Static_assert(sizeof(bool) == 1, "arrays of answers have a byte each");

IS(ZT_LOG_OFF, 0);
IS(ZT_LOG_ERROR, 1);
IS(ZT_LOG_WARN, 2);
IS(ZT_LOG_INFO, 3);
IS(ZT_LOG_DEBUG, 4);
IS(ZT_LOG_TRACE, 5);

IS(ZT_STORE_TEXT, 0);
IS(ZT_STORE_BYTES, 1);
IS(ZT_FILE_HEADER_MOST, 5197);

IS(ZT_STATUS_OK, 0);
IS(ZT_STATUS_DENIED, 1001);
IS(ZT_STATUS_STEP_UP_REQUIRED, 1002);
IS(ZT_STATUS_OBLIGATION_UNMET, 1003);
IS(ZT_STATUS_OUT_OF_GRANT, 1004);
IS(ZT_STATUS_INVALID_TOKEN, 2001);
IS(ZT_STATUS_TOKEN_EXPIRED, 2002);
IS(ZT_STATUS_TOKEN_NOT_YET_VALID, 2003);
IS(ZT_STATUS_MISSING_CREDENTIALS, 2004);
IS(ZT_STATUS_INTERACTION_REQUIRED, 2005);
IS(ZT_STATUS_SIGN_IN_FAILED, 2006);
IS(ZT_STATUS_INVALID_GRANT, 2007);
IS(ZT_STATUS_GRANT_EXPIRED, 2008);
IS(ZT_STATUS_GRANT_NOT_YET_VALID, 2009);
IS(ZT_STATUS_GRANT_OF_ANOTHER, 2010);
IS(ZT_STATUS_NOT_FOUND, 3001);
IS(ZT_STATUS_VAULT_UNAVAILABLE, 4001);
IS(ZT_STATUS_AUDIT_UNAVAILABLE, 4002);
IS(ZT_STATUS_KEYS_UNAVAILABLE, 4003);
IS(ZT_STATUS_METADATA_STALE, 4004);
IS(ZT_STATUS_ALERTS_UNAVAILABLE, 4005);
IS(ZT_STATUS_IDENTITY_UNAVAILABLE, 4006);
IS(ZT_STATUS_NETWORK_REFUSED, 4007);
IS(ZT_STATUS_PENDING, 4901);
IS(ZT_STATUS_INVALID_ARGUMENT, 5001);
IS(ZT_STATUS_INVALID_METADATA, 5002);
IS(ZT_STATUS_BUFFER_TOO_SMALL, 5901);
IS(ZT_STATUS_CALLBACK_FAILED, 5902);
IS(ZT_STATUS_VAULT_INTEGRITY, 6001);
IS(ZT_STATUS_AUDIT_INTEGRITY, 6002);
IS(ZT_STATUS_SEAL_INTEGRITY, 6003);
IS(ZT_STATUS_CONFIG, 7001);
IS(ZT_STATUS_NO_OWN_IDENTITY, 7002);
IS(ZT_STATUS_CANCELLED, 8001);
IS(ZT_STATUS_CLOSED, 8002);
IS(ZT_STATUS_INTERNAL, 9001);
IS(ZT_STATUS_PANIC, 9901);
