#pragma once

/// What each protocol contributes to the configuration language.
/// A protocol fills one constexpr ProtocolSyntax beside its options; the daemon (or a test) puts
/// them into a SyntaxRegistry, which outlives every Config parsed with it and is only read then.
/// Nothing registers itself; nothing here creates a running protocol.

#include "router/config/filter_language.h"
#include "router/config/parser.h"
#include "router/config/protocol_config.h"
#include "router/config/schema.h"

#include <concepts>
#include <memory>
#include <string_view>
#include <vector>

namespace tern::config {

/// One kind of channel a protocol has.
struct ChannelSyntax {
    std::string_view words;  ///< as written: "ipv4", "ipv4 multicast", "neighbors"
    std::string_view name;   ///< as shown: "ipv4-mc"
    net::NetType type;
    Rows rows = {};  ///< options in addition to those of all channels
    std::unique_ptr<ChannelConfig> (*make)() = nullptr;
    std::unique_ptr<ChannelConfig> (*copy)(const ChannelConfig&) = nullptr;
};

struct ProtocolSyntax {
    std::string_view type;   ///< words behind `protocol`: "bgp", "ospf v2"
    std::string_view label;  ///< as `show protocols` prints it: "BGP"
    std::string_view stem;   ///< for automatic names: "bgp" makes bgp1, bgp2 …
    std::string_view doc;
    Rows rows = {};
    std::span<const ChannelSyntax> channels = {};
    std::unique_ptr<ProtocolConfig> (*make)() = nullptr;
    std::unique_ptr<ProtocolConfig> (*copy)(const ProtocolConfig&) = nullptr;
    /// Checks and completes one protocol behind its last option (not templates); complaints
    /// through the parser. Channels have their tables by then. May be null.
    void (*finish)(Parser& parser, ProtocolConfig& protocol) = nullptr;
    std::uint16_t preference = 0;  ///< of imported routes
    bool export_all = false;       ///< default export filter: accept instead of reject
    unsigned channels_max = 0;     ///< but for `mpls`; 0: any number
    bool single = false;           ///< at most one instance
    std::string_view single_complaint = {};
    /// Channel options stand in the protocol's own block and go to a channel of this kind
    /// (pipe). It gets no default table.
    const ChannelSyntax* inline_channel = nullptr;
    /// Channel rows and comparison may add to the plan what rows cannot say. May be null.
    Effect (*compare)(const ProtocolConfig& old, const ProtocolConfig& now) = nullptr;
};

/// Fills make and copy for the derived struct.
template <std::derived_from<ChannelConfig> C>
constexpr ChannelSyntax channel_syntax(ChannelSyntax syntax) {
    syntax.make = []() -> std::unique_ptr<ChannelConfig> { return std::make_unique<C>(); };
    syntax.copy = [](const ChannelConfig& from) -> std::unique_ptr<ChannelConfig> {
        return std::make_unique<C>(static_cast<const C&>(from));
    };
    return syntax;
}

template <std::derived_from<ProtocolConfig> P>
constexpr ProtocolSyntax protocol_syntax(ProtocolSyntax syntax) {
    syntax.make = []() -> std::unique_ptr<ProtocolConfig> { return std::make_unique<P>(); };
    syntax.copy = [](const ProtocolConfig& from) -> std::unique_ptr<ProtocolConfig> {
        return std::make_unique<P>(static_cast<const P&>(from));
    };
    return syntax;
}

class SyntaxRegistry {
  public:
    /// The factory makes one FilterLanguage per Config; `context` is handed to it.
    SyntaxRegistry(FilterLanguageFactory factory, void* context)
        : factory_(factory), context_(context) {}

    /// `syntax` is borrowed for the registry's life.
    void add(const ProtocolSyntax& syntax) { protocols_.push_back(&syntax); }

    [[nodiscard]] const std::vector<const ProtocolSyntax*>& protocols() const { return protocols_; }

    /// Tables and channels of this net type exist in this router. IPv4 and IPv6 always do.
    void add_net_type(net::NetType type) { net_types_ |= bit(type); }

    [[nodiscard]] bool has_net_type(net::NetType type) const {
        return (net_types_ & bit(type)) != 0;
    }

    [[nodiscard]] std::unique_ptr<FilterLanguage> make_language() const {
        return factory_(context_);
    }

    /// Is the word a keyword of the language with these protocols? Used for warnings and texts.
    [[nodiscard]] bool is_keyword(std::string_view word) const;

    /// Adds the words of the language that stand in no row, for did-you-mean.
    static void list_keywords(std::vector<std::string_view>& words);

  private:
    static constexpr std::uint32_t bit(net::NetType type) {
        return std::uint32_t{1} << static_cast<unsigned>(type);
    }

    FilterLanguageFactory factory_;
    void* context_;
    std::uint32_t net_types_ = bit(net::NetType::ip4) | bit(net::NetType::ip6);
    std::vector<const ProtocolSyntax*> protocols_;
};

}  // namespace tern::config
