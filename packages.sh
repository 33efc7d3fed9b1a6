# Debian packages the scripts need, and how to get them. Read by ./test, ./run and ./bench.

build_packages="g++ cmake ninja-build ccache pkg-config libboost1.81-dev libfmt-dev libexpected-dev
    libmnl-dev libedit-dev libssl-dev catch2"
test_packages="clang libclang-rt-dev valgrind python3 doxygen
    g++-aarch64-linux-gnu qemu-user"
bench_packages="libjemalloc2 libmimalloc2.0 libtcmalloc-minimal4 libtalloc-dev libapr1-dev libuv1-dev
    libevent-dev liburcu-dev libtbb-dev libck-dev liburing-dev libabsl-dev"
peer_packages="iproute2 bird2 frr openbgpd gobgpd"

missing_packages() {
    for package in $1; do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null)
        [ "$state" = installed ] || printf '%s ' "$package"
    done
}

# Peers are started by the tests alone, never by their own services.
keep_services_off() {
    [ -d /usr/sbin ] && [ ! -e /usr/sbin/policy-rc.d ] || return 1
    printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
}

# install_packages KIND...: build, test, bench, quickstart. Peers come with test. As root it installs what is missing,
# otherwise it says what is.
install_packages() {
    wanted=$build_packages
    case " $* " in *" test "*) wanted="$wanted $test_packages $peer_packages" ;; esac
    case " $* " in *" bench "*) wanted="$wanted $bench_packages" ;; esac
    case " $* " in *" quickstart "*) wanted="$wanted python3 iproute2 bird2 frr" ;; esac
    if ! command -v dpkg-query > /dev/null; then
        echo "not a Debian system; needed are: $wanted"
        return 0
    fi
    missing=$(missing_packages "$wanted")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing packages: $missing"
        echo "what needs them fails or is skipped; as root they would be installed"
        return 0
    fi
    echo "installing: $missing"
    ours=no
    keep_services_off && ours=yes
    apt-get update -qq
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing \
        > /dev/null || echo "some packages could not be installed"
    [ "$ours" = no ] || rm -f /usr/sbin/policy-rc.d
}
