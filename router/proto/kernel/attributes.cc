#include "router/proto/kernel/attributes.h"

#include <array>

namespace tern::kernel {
namespace {

constexpr attr::AttributeDefinition integer(attr::AttributeId id,
                                            std::string_view name,
                                            std::string_view legacy) {
    return {.id = id, .name = name, .legacy_name = legacy, .type = attr::ValueType::int_};
}

constexpr attr::AttributeId metric_id(unsigned number) {
    return static_cast<attr::AttributeId>(krt::metrics + number);
}

// Numbers of the metrics are those of RTAX_*.
constexpr std::array<attr::AttributeDefinition, 22> definitions = {{
    integer(krt::source, "krt_source", "Kernel.source"),
    integer(krt::metric, "krt_metric", "Kernel.metric"),
    {.id = krt::prefsrc,
     .name = "krt_prefsrc",
     .legacy_name = "Kernel.prefsrc",
     .type = attr::ValueType::ip},
    integer(krt::realm, "krt_realm", "Kernel.realm"),
    integer(krt::scope, "krt_scope", "Kernel.scope"),
    integer(metric_id(1), "krt_lock", "Kernel.lock"),
    integer(metric_id(2), "krt_mtu", "Kernel.mtu"),
    integer(metric_id(3), "krt_window", "Kernel.window"),
    integer(metric_id(4), "krt_rtt", "Kernel.rtt"),
    integer(metric_id(5), "krt_rttvar", "Kernel.rttvar"),
    integer(metric_id(6), "krt_ssthresh", "Kernel.ssthresh"),
    integer(metric_id(7), "krt_cwnd", "Kernel.cwnd"),
    integer(metric_id(8), "krt_advmss", "Kernel.advmss"),
    integer(metric_id(9), "krt_reordering", "Kernel.reordering"),
    integer(metric_id(10), "krt_hoplimit", "Kernel.hoplimit"),
    integer(metric_id(11), "krt_initcwnd", "Kernel.initcwnd"),
    integer(metric_id(12), "krt_features", "Kernel.features"),
    integer(metric_id(13), "krt_rto_min", "Kernel.rto_min"),
    integer(metric_id(14), "krt_initrwnd", "Kernel.initrwnd"),
    integer(metric_id(15), "krt_quickack", "Kernel.quickack"),
    {.id = metric_id(16),
     .name = "krt_congctl",
     .legacy_name = "Kernel.congctl",
     .type = attr::ValueType::string},
    integer(metric_id(17), "krt_fastopen_no_cookie", "Kernel.fastopen_no_cookie"),
}};

constexpr std::array<BitAttribute, 17> bits = {{
    {"krt_lock_mtu", metric_id(1), 2},
    {"krt_lock_window", metric_id(1), 3},
    {"krt_lock_rtt", metric_id(1), 4},
    {"krt_lock_rttvar", metric_id(1), 5},
    {"krt_lock_ssthresh", metric_id(1), 6},
    {"krt_lock_cwnd", metric_id(1), 7},
    {"krt_lock_advmss", metric_id(1), 8},
    {"krt_lock_reordering", metric_id(1), 9},
    {"krt_lock_hoplimit", metric_id(1), 10},
    {"krt_lock_initcwnd", metric_id(1), 11},
    {"krt_lock_rto_min", metric_id(1), 13},
    {"krt_lock_initrwnd", metric_id(1), 14},
    {"krt_lock_quickack", metric_id(1), 15},
    {"krt_lock_congctl", metric_id(1), 16},
    {"krt_lock_fastopen_no_cookie", metric_id(1), 17},
    {"krt_feature_ecn", metric_id(12), 0},
    {"krt_feature_allfrag", metric_id(12), 3},
}};

}  // namespace

void register_attributes(attr::AttributeRegistry& registry) {
    for (const attr::AttributeDefinition& definition : definitions)
        registry.add(definition);
}

std::span<const BitAttribute> bit_attributes() {
    return bits;
}

}  // namespace tern::kernel
