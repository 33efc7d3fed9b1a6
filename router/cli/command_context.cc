#include "router/cli/command_context.h"

#include "router/cli/command_parser.h"
#include "router/cli/session.h"

namespace tern::cli {

Personality& CommandContext::personality() {
    return session_.personality();
}

bool CommandContext::expect_no_arguments() {
    if (arguments_.empty()) return true;
    fail_parse(
        Error{"syntax error, unexpected " + unexpected_token(arguments_) + ", expecting END", {}});
    return false;
}

}  // namespace tern::cli
