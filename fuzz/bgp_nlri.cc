/// A field of prefixes of one family, with or without path ids.
/// A checked field is walked and packed again; the same prefixes must come out.

#include "fuzz/fuzz_target.h"
#include "locking/check.h"
#include "router/proto/bgp/wire/nlri.h"

#include <vector>

TERN_FUZZ(bgp_nlri, data, size) {
    using namespace tern::bgp::wire;
    if (size < 1) return;
    const NlriField field{
        (data[0] & 1) != 0 ? ipv6_unicast : ipv4_unicast, (data[0] & 2) != 0, {data + 1, size - 1}};
    if (!check_nlri(field)) return;
    std::vector<std::uint8_t> buffer(size);
    tern::Writer writer(buffer);
    NlriCursor cursor(field);
    for (Nlri nlri; cursor.next(nlri);) {
        TERN_ASSERT(from_prefix(to_prefix(field.family, nlri), nlri.path_id) == nlri);
        put_nlri(writer, nlri, field.path_ids);
    }
    TERN_ASSERT(writer.ok());
    TERN_ASSERT(writer.size() == field.bytes.size());
}
