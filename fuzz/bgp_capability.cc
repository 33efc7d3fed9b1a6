/// A list of capabilities; what is understood survives encoding and decoding.

#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "router/proto/bgp/wire/capability.h"

TERN_FUZZ(bgp_capability, data, size) {
    using namespace tern::bgp::wire;
    Capabilities first;
    if (!decode_capabilities({data, size}, first)) return;
    Capabilities second;
    TERN_ASSERT(decode_capabilities(encode_capabilities(first), second));
    TERN_ASSERT(second.multiprotocol == first.multiprotocol);
    TERN_ASSERT(second.as4 == first.as4);
}
