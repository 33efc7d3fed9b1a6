#include "router/proto/device/device.h"

#include "router/proto/device/scan_linux.h"

#include <array>
#include <cerrno>

#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace tern::device {

Device::Device(engine::Instance& instance)
    : Protocol(instance),
      config_(static_cast<const DeviceConfig*>(&instance.config())),
      preferences_([this](const iface::Interface& i) { return preferred_of(*config_, i); }),
      scan_timer_(instance.loop(), loops::callback<&Device::on_scan_timer>(*this)) {}

void Device::start() {
    auto requests = os::NetlinkSocket::open(0);
    if (requests) {
        requests_.emplace(std::move(*requests));
        os::NetlinkMonitor::Callbacks callbacks;
        callbacks.message = on_message;
        callbacks.batch_end = on_batch_end;
        callbacks.overrun = on_overrun;
        callbacks.context = this;
        // Listening begins before the scan, so that nothing can change unseen between the two.
        auto monitor = os::NetlinkMonitor::open(
            instance().loop(), RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, callbacks);
        if (monitor) {
            monitor_ = std::move(*monitor);
        } else {
            instance().log(Severity::error, "{}", monitor.error().text);
        }
        scan();
    } else {
        instance().log(Severity::error, "{}", requests.error().text);
    }
    set_timer();
    instance().up();
}

void Device::shutdown(const engine::StopRequest&) {
    scan_timer_.stop();
    update_.reset();
    monitor_.reset();
    requests_.reset();
    instance().down();
}

bool Device::reconfigure(const config::ProtocolConfig& next, config::Effect effect) {
    config_ = static_cast<const DeviceConfig*>(&next);
    if (effect == config::Effect::none) return true;
    set_timer();
    iface::Registry::Update update(instance().services().interfaces, preferences_);
    update.touch_all();
    return true;
}

/// Without a device protocol no interface is known: a scan that sees nothing.
void Device::cleanup() {
    iface::Registry::Update update(instance().services().interfaces, preferences_);
    update.begin_scan();
    update.end_scan();
}

bool Device::refresh_import(channel::Channel&) {
    return true;
}

void Device::set_timer() {
    if (config().scan_time.is_zero()) {
        scan_timer_.stop();
    } else {
        scan_timer_.every(config().scan_time);
    }
}

void Device::on_scan_timer() {
    scan();
}

void Device::on_dumped(Bytes message, void* update) {
    apply_message(message, *static_cast<iface::Registry::Update*>(update));
}

/// Addresses come after the links that they are on.
void Device::scan() {
    if (!requests_) return;
    iface::Registry::Update update(instance().services().interfaces, preferences_);
    update.begin_scan();
    static constexpr std::array<std::uint16_t, 2> dumps = {RTM_GETLINK, RTM_GETADDR};
    for (const std::uint16_t dump : dumps) {
        auto done = requests_->dump(dump, AF_UNSPEC, 0, on_dumped, &update);
        if (done) continue;
        // What was not seen may still exist: nothing is removed after an incomplete scan.
        instance().log(Severity::warning, "Interface scan failed: {}", done.error().text);
        return;
    }
    update.end_scan();
}

void Device::on_message(Bytes message, void* context) {
    auto& self = *static_cast<Device*>(context);
    if (!self.update_) {
        self.update_ = std::make_unique<iface::Registry::Update>(
            self.instance().services().interfaces, self.preferences_);
    }
    apply_message(message, *self.update_);
}

void Device::on_batch_end(void* context) {
    static_cast<Device*>(context)->update_.reset();
}

void Device::on_overrun(void* context) {
    auto& self = *static_cast<Device*>(context);
    self.update_.reset();
    self.instance().log(Severity::warning,
                        "Kernel dropped some netlink messages, scanning interfaces again");
    self.scan();
}

const engine::ProtocolDescriptor& descriptor() {
    static const engine::ProtocolDescriptor result = {
        .placement = engine::LoopPlacement::main,
        .start_phase = 0,
        .syntax = &syntax(),
        .exports = false,
        .create = engine::create<Device>,
    };
    return result;
}

}  // namespace tern::device
