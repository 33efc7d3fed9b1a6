#include "router/config/config.h"
#include "router/config/parse_top.h"
#include "router/config/values.h"

#include <array>

namespace tern::config {

namespace {

constexpr std::array severity_words = {
    Choice{"debug", 1},  Choice{"trace", 2},    Choice{"info", 4},
    Choice{"remote", 8}, Choice{"warning", 16}, Choice{"error", 32},
    Choice{"auth", 64},  Choice{"fatal", 128},  Choice{"bug", 256},
};

void read_log_udp(Parser& p, LogTarget& target) {
    if (p.at(TokenKind::string)) {
        target.host = p.text();
    } else {
        target.address = p.address();
        target.host = target.address->to_string();
    }
    if (p.accept("port")) {
        target.port =
            static_cast<std::uint16_t>(p.number_in({0, 65535, "Port must be in range 0-65535"}));
    }
}

void read_log_file(Parser& p, LogTarget& target) {
    target.path = p.text();
    if (p.at("all") || p.at(TokenKind::left_brace)) return;
    target.limit = p.number_in(
        {16384, ~std::uint32_t{0}, "Log file size limit too low, must be at least 16384."});
    target.backup = p.text();
}

}  // namespace

void parse_log_statement(Parser& p) {
    LogTarget target;
    target.position = p.position();
    if (p.accept("syslog")) {
        target.kind = LogKind::syslog;
        if (p.accept("name")) target.name = p.text();
    } else if (p.accept("stderr")) {
        target.kind = LogKind::stderr_;
    } else if (p.accept("udp")) {
        target.kind = LogKind::udp;
        read_log_udp(p, target);
    } else if (p.accept("fixed")) {
        target.kind = LogKind::fixed;
        target.path = p.text();
        target.limit = p.number();
    } else {
        read_log_file(p, target);
    }
    if (p.at(TokenKind::left_brace) || p.at("all")) {
        target.classes = static_cast<SeverityMask>(parse_mask(p, severity_words));
    } else {
        p.fail_unexpected({"ALL", "'{'"});
    }
    p.config().logs.push_back(std::move(target));
}

}  // namespace tern::config
