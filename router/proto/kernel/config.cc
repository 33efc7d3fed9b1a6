#include "router/proto/kernel/config.h"

#include "router/config/config.h"
#include "router/config/option.h"

#include <array>

#include <fmt/format.h>

namespace tern::kernel {
namespace {

namespace option = config::option;
using config::Effect;
using config::Parser;

constexpr std::array<config::Choice, 1> learn_words = {{{"all", 2}}};

void parse_merge(Parser& parser, KernelConfig& config, const config::OptionRow&) {
    if (!parser.at("limit")) config.merge_paths = parser.boolean();
    if (parser.accept("limit")) {
        config.merge_paths = true;
        config.merge_limit = parser.number_in({1, 255, "Merge paths limit must be in range 1-255"});
    }
}

constexpr config::OptionRow rows[] = {
    option::flag<&KernelConfig::persist>(
        "persist", {"off", "leave routes in the kernel at shutdown", Effect::modify}),
    option::seconds<&KernelConfig::scan_time>(
        "scan time",
        {},
        {"60", "seconds between scans of the kernel's table; 0: at startup only", Effect::restart}),
    option::flag_or<&KernelConfig::learn, Learn::off, Learn::on>(
        "learn",
        learn_words,
        {"off", "import routes of others; all: those of the kernel itself too", Effect::restart}),
    option::number<&KernelConfig::kernel_table>(
        "kernel table", {}, {"254", "number of the kernel's routing table", Effect::restart}),
    option::number<&KernelConfig::metric>(
        "metric", {}, {"32", "kernel metric of exported routes; 0: per route", Effect::restart}),
    option::flag<&KernelConfig::graceful_restart>(
        "graceful restart",
        {"off",
         "after a start with `-R` touch nothing before all protocols have learnt their routes",
         Effect::modify}),
    option::custom<&KernelConfig::merge_paths, parse_merge>(
        "merge paths",
        "SWITCH limit NUM",
        {"off", "export equal routes as one multipath route", Effect::restart}),
    option::number<&KernelConfig::rx_buffer>(
        "netlink rx buffer",
        {},
        {"0", "receive buffer of the kernel's notifications in bytes", Effect::modify}),
};

constexpr config::ChannelSyntax channels[] = {
    config::channel_syntax<config::ChannelConfig>(
        {.words = "ipv4", .name = "ipv4", .type = net::NetType::ip4}),
    config::channel_syntax<config::ChannelConfig>(
        {.words = "ipv6", .name = "ipv6", .type = net::NetType::ip6}),
};

void check_others(Parser& parser, const KernelConfig& mine) {
    const config::ChannelConfig& channel = *mine.channels.front();
    for (const auto& other : parser.config().protocols) {
        if (other.get() == &mine || other->is_template || other->syntax != mine.syntax ||
            other->channels.empty()) {
            continue;
        }
        const auto& kernel = static_cast<const KernelConfig&>(*other);
        const config::ChannelConfig& its = *kernel.channels.front();
        if (its.table == channel.table && channel.table != nullptr) {
            parser.fail(mine.position,
                        fmt::format("Kernel syncer ({}) already attached to table {}", kernel.name,
                                    channel.table->name));
        } else if (its.type == channel.type && kernel.kernel_table == mine.kernel_table) {
            parser.fail(mine.position,
                        fmt::format("Kernel syncer ({}) already attached to kernel table {}",
                                    kernel.name, kernel.kernel_table));
        }
    }
}

void finish(Parser& parser, config::ProtocolConfig& protocol) {
    const auto& mine = static_cast<const KernelConfig&>(protocol);
    if (mine.channels.empty()) {
        parser.fail(mine.position, "Channel not specified");
        return;
    }
    check_others(parser, mine);
}

config::Effect compare(const config::ProtocolConfig& old, const config::ProtocolConfig& now) {
    const bool same = static_cast<const KernelConfig&>(old).merge_limit ==
                      static_cast<const KernelConfig&>(now).merge_limit;
    return same ? Effect::none : Effect::restart;
}

constexpr config::ProtocolSyntax kernel_syntax = config::protocol_syntax<KernelConfig>({
    .type = "kernel",
    .label = "Kernel",
    .stem = "kernel",
    .doc = "Keeps one table of the kernel equal to a routing table.",
    .rows = rows,
    .channels = channels,
    .finish = finish,
    .preference = kernel_preference,
    .channels_max = 1,
    .compare = compare,
});

}  // namespace

const config::ProtocolSyntax& syntax() {
    return kernel_syntax;
}

}  // namespace tern::kernel
