#pragma once

/// Constants that the system defines for configurations: names of routing protocols, realms, scopes
/// and tables as iproute2 knows them (`ipp_bgp`, `ipr_cosmos`, `ips_link`, `ipt_main`).
/// Read anew for each configuration, through its reader; missing files are no error. They stand in
/// a scope around the configuration's own, so that it may hide them.

#include "router/config/config.h"
#include "router/config/source.h"

namespace tern::config {

void define_system_constants(Config& config, SourceReader& reader);

}  // namespace tern::config
