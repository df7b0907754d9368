/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_layout.c -- the fields of kernel events, as lttng-modules 2.13.9 writes
 * them on Linux 6.1 for x86-64.  Names, sizes, signs and bases are those of
 * the metadata of real traces; those of kvm and kmem are of the headers in
 * lttng-modules' instrumentation/events. */
#include "sim/kern_priv.h"

/* clang-format off */
/* What follows the addresses in a header of IPv4 or IPv6. */
#define TRANSPORT_HEADER \
    "\t\t\t\tenum : integer { size = 8; align = 8; signed = 0; encoding = none; base = 10; } {\n" \
    "\t\t\t\t\t\"_unknown\" = 0,\n" \
    "\t\t\t\t\t\"_tcp\" = 1,\n" \
    "\t\t\t\t\t\"_udp\" = 2,\n" \
    "\t\t\t\t\t\"_icmp\" = 3,\n" \
    "\t\t\t\t} _transport_header_type;\n" \
    "\t\t\t\tvariant <_transport_header_type> {\n" \
    "\t\t\t\t\tstruct {\n" \
    "\t\t\t\t\t} _unknown;\n" \
    "\t\t\t\t\tstruct {\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _source_port;\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _dest_port;\n" \
    "\t\t\t\t\t\tinteger { size = 32; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _seq;\n" \
    "\t\t\t\t\t\tinteger { size = 32; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _ack_seq;\n" \
    "\t\t\t\t\t\tinteger { size = 4; align = 4; signed = 0; encoding = none; base = 10; byte_order = be; } _data_offset;\n" \
    "\t\t\t\t\t\tinteger { size = 3; align = 1; signed = 0; encoding = none; base = 10; byte_order = be; } _reserved;\n" \
    "\t\t\t\t\t\tinteger { size = 9; align = 1; signed = 0; encoding = none; base = 16; byte_order = be; } _flags;\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _window_size;\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 16; byte_order = be; } _checksum;\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _urg_ptr;\n" \
    "\t\t\t\t\t} _tcp;\n" \
    "\t\t\t\t\tstruct {\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _source_port;\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _dest_port;\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _len;\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _check;\n" \
    "\t\t\t\t\t} _udp;\n" \
    "\t\t\t\t\tstruct {\n" \
    "\t\t\t\t\t\tinteger { size = 8; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _type;\n" \
    "\t\t\t\t\t\tinteger { size = 8; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _code;\n" \
    "\t\t\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _checksum;\n" \
    "\t\t\t\t\t\tinteger { size = 32; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _gateway;\n" \
    "\t\t\t\t\t} _icmp;\n" \
    "\t\t\t\t} _transport_header;\n"
/* The variant of headers behind a packet's event; its empty option and IPv4's are written. */
static const char network_header[] =
    "\t\tvariant <_network_header_type> {\n"
    "\t\t\tstruct {\n"
    "\t\t\t} _unknown;\n"
    "\t\t\tstruct {\n"
    "\t\t\t\tinteger { size = 4; align = 4; signed = 0; encoding = none; base = 10; byte_order = be; } _version;\n"
    "\t\t\t\tinteger { size = 4; align = 4; signed = 0; encoding = none; base = 10; byte_order = be; } _ihl;\n"
    "\t\t\t\tinteger { size = 8; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _tos;\n"
    "\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _tot_len;\n"
    "\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 16; byte_order = be; } _id;\n"
    "\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _frag_off;\n"
    "\t\t\t\tinteger { size = 8; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _ttl;\n"
    "\t\t\t\tenum : integer { size = 8; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } {\n"
    "\t\t\t\t\t\"_unknown\" = 0,\n"
    "\t\t\t\t\t\"_icmp\" = 1,\n"
    "\t\t\t\t\t\"_unknown\" = 2 ... 5,\n"
    "\t\t\t\t\t\"_tcp\" = 6,\n"
    "\t\t\t\t\t\"_unknown\" = 7 ... 16,\n"
    "\t\t\t\t\t\"_udp\" = 17,\n"
    "\t\t\t\t\t\"_unknown\" = 18 ... 255,\n"
    "\t\t\t\t} _protocol;\n"
    "\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 16; byte_order = be; } _checksum;\n"
    "\t\t\t\tstruct { } align(8) _saddr_padding;\n"
    "\t\t\t\tinteger { size = 8; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _saddr[4];\n"
    "\t\t\t\tstruct { } align(8) _daddr_padding;\n"
    "\t\t\t\tinteger { size = 8; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _daddr[4];\n"
    TRANSPORT_HEADER
    "\t\t\t} _ipv4;\n"
    "\t\t\tstruct {\n"
    "\t\t\t\tinteger { size = 4; align = 4; signed = 0; encoding = none; base = 10; byte_order = be; } _version;\n"
    "\t\t\t\tinteger { size = 4; align = 4; signed = 0; encoding = none; base = 10; byte_order = be; } _prio;\n"
    "\t\t\t\tstruct { } align(8) _flow_lbl_padding;\n"
    "\t\t\t\tinteger { size = 8; align = 8; signed = 0; encoding = none; base = 16; byte_order = be; } _flow_lbl[3];\n"
    "\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _payload_len;\n"
    "\t\t\t\tenum : integer { size = 8; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } {\n"
    "\t\t\t\t\t\"_unknown\" = 0,\n"
    "\t\t\t\t\t\"_icmp\" = 1,\n"
    "\t\t\t\t\t\"_unknown\" = 2 ... 5,\n"
    "\t\t\t\t\t\"_tcp\" = 6,\n"
    "\t\t\t\t\t\"_unknown\" = 7 ... 16,\n"
    "\t\t\t\t\t\"_udp\" = 17,\n"
    "\t\t\t\t\t\"_unknown\" = 18 ... 255,\n"
    "\t\t\t\t} _nexthdr;\n"
    "\t\t\t\tinteger { size = 8; align = 8; signed = 0; encoding = none; base = 10; byte_order = be; } _hop_limit;\n"
    "\t\t\t\tstruct { } align(8) _saddr_padding;\n"
    "\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 16; byte_order = be; } _saddr[8];\n"
    "\t\t\t\tstruct { } align(8) _daddr_padding;\n"
    "\t\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 16; byte_order = be; } _daddr[8];\n"
    TRANSPORT_HEADER
    "\t\t\t} _ipv6;\n"
    "\t\t} _network_header;\n";
static const char poll_fds[] =
    "\t\tstruct {\n"
    "\t\t\tinteger { size = 32; align = 8; signed = 1; encoding = none; base = 10; } _fd;\n"
    "\t\t\tinteger { size = 16; align = 8; signed = 0; encoding = none; base = 16; } _raw_events;\n"
    "\t\t\tstruct {\n"
    "\t\t\t\tinteger { size = 1; align = 1; signed = 0; encoding = none; base = 10; } _POLLIN;\n"
    "\t\t\t\tinteger { size = 1; align = 1; signed = 0; encoding = none; base = 10; } _POLLPRI;\n"
    "\t\t\t\tinteger { size = 1; align = 1; signed = 0; encoding = none; base = 10; } _POLLOUT;\n"
    "\t\t\t\tinteger { size = 1; align = 1; signed = 0; encoding = none; base = 10; } _POLLERR;\n"
    "\t\t\t\tinteger { size = 1; align = 1; signed = 0; encoding = none; base = 10; } _POLLHUP;\n"
    "\t\t\t\tinteger { size = 3; align = 1; signed = 0; encoding = none; base = 10; } _padding;\n"
    "\t\t\t} _events;\n"
    "\t\t} _fds[ _fds_length ];\n";
static const char epoll_fds[] =
    "\t\tstruct {\n"
    "\t\t\tstruct {\n"
    "\t\t\t\tinteger { size = 64; align = 8; signed = 0; encoding = none; base = 16; } _u64;\n"
    "\t\t\t\tinteger { size = 32; align = 8; signed = 1; encoding = none; base = 10; } _fd;\n"
    "\t\t\t} _data_union;\n"
    "\t\t\tinteger { size = 32; align = 8; signed = 0; encoding = none; base = 16; } _raw_events;\n"
    "\t\t\tstruct {\n"
    "\t\t\t\tinteger { size = 1; align = 1; signed = 0; encoding = none; base = 10; } _EPOLLIN;\n"
    "\t\t\t\tinteger { size = 1; align = 1; signed = 0; encoding = none; base = 10; } _EPOLLPRI;\n"
    "\t\t\t\tinteger { size = 1; align = 1; signed = 0; encoding = none; base = 10; } _EPOLLOUT;\n"
    "\t\t\t\tinteger { size = 1; align = 1; signed = 0; encoding = none; base = 10; } _EPOLLERR;\n"
    "\t\t\t\tinteger { size = 4; align = 1; signed = 0; encoding = none; base = 10; } _padding;\n"
    "\t\t\t} _events;\n"
    "\t\t} _fds[ _fds_length ];\n";
/* clang-format on */

#define COMM(field)                                                       \
    {                                                                     \
        .name = (field), .kind = CTFW_TEXT, .count = COMM_SIZE, .bits = 8 \
    }

static const struct ctfw_field context_fields[KC_CONTEXTS] = {
    CTFW_S("pid", 32), CTFW_S("tid", 32), COMM("procname"), CTFW_S("vpid", 32), CTFW_S("vtid", 32),
};

static const struct ctfw_field f_none[] = { { .name = "" } }; /* no field at all */
static const struct ctfw_field f_switch[] = {
    COMM("prev_comm"), CTFW_S("prev_tid", 32), CTFW_S("prev_prio", 32), CTFW_S("prev_state", 64),
    COMM("next_comm"), CTFW_S("next_tid", 32), CTFW_S("next_prio", 32),
};
static const struct ctfw_field f_wakeup[] = {
    COMM("comm"),
    CTFW_S("tid", 32),
    CTFW_S("prio", 32),
    CTFW_S("target_cpu", 32),
};
static const struct ctfw_field f_migrate[] = {
    COMM("comm"),           CTFW_S("tid", 32),      CTFW_S("prio", 32),
    CTFW_S("orig_cpu", 32), CTFW_S("dest_cpu", 32),
};
static const struct ctfw_field f_fork[] = {
    COMM("parent_comm"),
    CTFW_S("parent_tid", 32),
    CTFW_S("parent_pid", 32),
    CTFW_U("parent_ns_inum", 32),
    COMM("child_comm"),
    CTFW_S("child_tid", 32),
    { .name = "vtids", .kind = CTFW_SEQ, .bits = 32, .is_signed = true, .len_bits = 8 },
    CTFW_S("child_pid", 32),
    CTFW_U("child_ns_inum", 32),
};
static const struct ctfw_field f_exec[] = {
    CTFW_STRING("filename"),
    CTFW_S("tid", 32),
    CTFW_S("old_tid", 32),
};
static const struct ctfw_field f_task[] = {
    COMM("comm"),
    CTFW_S("tid", 32),
    CTFW_S("prio", 32),
};
static const struct ctfw_field f_irq_entry[] = { CTFW_S("irq", 32), CTFW_STRING("name") };
static const struct ctfw_field f_irq_exit[] = { CTFW_S("irq", 32), CTFW_S("ret", 32) };
static const struct ctfw_field f_soft[] = { CTFW_U("vec", 32) };
static const struct ctfw_field f_hr_start[] = {
    CTFW_X("hrtimer", 64),     CTFW_X("function", 64), CTFW_S("expires", 64),
    CTFW_S("softexpires", 64), CTFW_U("mode", 32),
};
static const struct ctfw_field f_hr[] = { CTFW_X("hrtimer", 64) };
static const struct ctfw_field f_hr_entry[] = {
    CTFW_X("hrtimer", 64),
    CTFW_S("now", 64),
    CTFW_X("function", 64),
};
static const struct ctfw_field f_cpu_idle[] = { CTFW_U("state", 32), CTFW_U("cpu_id", 32) };
static const struct ctfw_field f_kvm_entry[] = { CTFW_U("vcpu_id", 32), CTFW_U("rip", 64) };
static const struct ctfw_field f_kvm_exit[] = {
    CTFW_U("exit_reason", 32), CTFW_U("guest_rip", 64), CTFW_U("isa", 32),
    CTFW_U("info1", 64),       CTFW_U("info2", 64),     CTFW_U("intr_info", 32),
    CTFW_U("error_code", 32),  CTFW_U("vcpu_id", 32),
};
static const struct ctfw_field f_kvm_userspace[] = { CTFW_U("reason", 32), CTFW_S("errno", 32) };
static const struct ctfw_field f_bio[] = {
    CTFW_U("dev", 32),  CTFW_U("sector", 64), CTFW_U("nr_sector", 32),
    CTFW_U("rwbs", 32), CTFW_S("tid", 32),    COMM("comm"),
};
static const struct ctfw_field f_rq[] = {
    CTFW_U("dev", 32),   CTFW_U("sector", 64), CTFW_U("nr_sector", 32),
    CTFW_U("bytes", 32), CTFW_S("tid", 32),    CTFW_U("rwbs", 32),
    COMM("comm"),
};
static const struct ctfw_field f_complete[] = {
    CTFW_U("dev", 32),   CTFW_U("sector", 64), CTFW_U("nr_sector", 32),
    CTFW_S("error", 32), CTFW_U("rwbs", 32),
};
static const struct ctfw_label network_types[] = {
    { "_unknown", 0, 0 },
    { "_ipv4", 1, 1 },
    { "_ipv6", 2, 2 },
    { 0 },
};
static const struct ctfw_field f_packet[] = {
    CTFW_X("skbaddr", 64),
    CTFW_U("len", 32),
    CTFW_STRING("name"),
    { .name = "network_header_type", .kind = CTFW_ENUM, .bits = 8, .labels = network_types },
    CTFW_TSDL(network_header),
};
static const struct ctfw_field f_xmit[] = {
    CTFW_X("skbaddr", 64),
    CTFW_S("rc", 32),
    CTFW_U("len", 32),
    CTFW_STRING("name"),
};
static const struct ctfw_label drop_reasons[] = {
    { "NOT_SPECIFIED", 1, 1 }, { "NO_SOCKET", 2, 2 },
    { "PKT_TOO_SMALL", 3, 3 }, { "TCP_CSUM", 4, 4 },
    { "SOCKET_FILTER", 5, 5 }, { "UDP_CSUM", 6, 6 },
    { "MAX", 66, 66 },         { 0 },
};
static const struct ctfw_field f_kfree[] = {
    CTFW_X("skbaddr", 64),
    CTFW_X("location", 64),
    CTFW_BE("protocol", 16),
    { .name = "reason", .kind = CTFW_ENUM, .bits = 8, .labels = drop_reasons },
};
static const struct ctfw_field f_consume[] = { CTFW_X("skbaddr", 64) };
static const struct ctfw_field f_pid[] = { CTFW_S("pid", 32) };
static const struct ctfw_field f_gro[] = { CTFW_X("skbaddr", 64) };
static const struct ctfw_field f_page_alloc[] = {
    CTFW_X("page", 64),      CTFW_U("pfn", 64),         CTFW_U("order", 32),
    CTFW_U("gfp_flags", 32), CTFW_S("migratetype", 32),
};
static const struct ctfw_field f_page_free[] = {
    CTFW_X("page", 64),
    CTFW_U("pfn", 64),
    CTFW_U("order", 32),
};
static const struct ctfw_field f_dump_process[] = {
    CTFW_S("tid", 32),     CTFW_S("pid", 32),
    CTFW_S("ppid", 32),    COMM("name"),
    CTFW_S("type", 32),    CTFW_S("mode", 32),
    CTFW_S("submode", 32), CTFW_S("status", 32),
    CTFW_U("cpu", 32),     CTFW_X("file_table_address", 64),
};
static const struct ctfw_field f_dump_pid_ns[] = {
    CTFW_S("tid", 32),   CTFW_S("vtid", 32),     CTFW_S("vpid", 32),
    CTFW_S("vppid", 32), CTFW_S("ns_level", 32), CTFW_U("ns_inum", 32),
};
static const struct ctfw_field f_dump_user_ns[] = {
    CTFW_S("tid", 32),      CTFW_U("vuid", 32),    CTFW_U("vgid", 32),
    CTFW_S("ns_level", 32), CTFW_U("ns_inum", 32),
};
static const struct ctfw_field f_dump_ns[] = { CTFW_S("tid", 32), CTFW_U("ns_inum", 32) };
static const struct ctfw_field f_dump_fd[] = {
    CTFW_X("file_table_address", 64), CTFW_S("fd", 32), CTFW_U("flags", 32), CTFW_X("fmode", 32),
    CTFW_STRING("filename"),
};
static const struct ctfw_field f_dump_disk[] = { CTFW_U("dev", 32), CTFW_STRING("diskname") };
static const struct ctfw_field f_dump_interface[] = {
    CTFW_STRING("name"),
    { .name = "address_ipv4", .kind = CTFW_INT, .bits = 32, .hex = true, .big_endian = true },
};
static const struct ctfw_field f_dump_interrupt[] = {
    CTFW_U("irq", 32),
    CTFW_STRING("name"),
    CTFW_STRING("action"),
    CTFW_S("tid", 32),
};
static const struct ctfw_field f_dump_cpu[] = {
    CTFW_STRING("architecture"), CTFW_U("cpu_id", 16),  CTFW_STRING("vendor"),
    CTFW_U("family", 8),         CTFW_U("model", 8),    CTFW_STRING("model_name"),
    CTFW_U("physical_id", 16),   CTFW_U("core_id", 16), CTFW_U("cores", 16),
};

/* Arguments of system calls, and what they return. */
static const struct ctfw_field out_ret[] = { CTFW_S("ret", 64) };
static const struct ctfw_field in_read[] = { CTFW_U("fd", 32), CTFW_U("count", 64) };
static const struct ctfw_field out_read[] = { CTFW_S("ret", 64), CTFW_U("buf", 64) };
static const struct ctfw_field in_write[] = {
    CTFW_U("fd", 32),
    CTFW_U("buf", 64),
    CTFW_U("count", 64),
};
static const struct ctfw_field in_pread64[] = {
    CTFW_U("fd", 32),
    CTFW_U("count", 64),
    CTFW_S("pos", 64),
};
static const struct ctfw_field in_pwrite64[] = {
    CTFW_U("fd", 32),
    CTFW_U("buf", 64),
    CTFW_U("count", 64),
    CTFW_S("pos", 64),
};
static const struct ctfw_field in_fd[] = { CTFW_U("fd", 32) };
static const struct ctfw_field in_futex[] = {
    CTFW_U("uaddr", 64), CTFW_S("op", 32),     CTFW_U("val", 32),
    CTFW_U("utime", 64), CTFW_U("uaddr2", 64), CTFW_U("val3", 32),
};
static const struct ctfw_field out_futex[] = {
    CTFW_S("ret", 64),
    CTFW_U("uaddr", 64),
    CTFW_U("uaddr2", 64),
};
static const struct ctfw_field in_nanosleep[] = {
    CTFW_S("which_clock", 32),
    CTFW_S("flags", 32),
    CTFW_U("rqtp", 64),
};
static const struct ctfw_field out_rmtp[] = { CTFW_S("ret", 64), CTFW_U("rmtp", 64) };
static const struct ctfw_field in_ppoll[] = {
    CTFW_U("tsp", 64),        CTFW_U("sigmask", 64), CTFW_U("sigsetsize", 64), CTFW_U("nfds", 32),
    CTFW_U("fds_length", 32), CTFW_U("overflow", 8), CTFW_TSDL(poll_fds),
};
static const struct ctfw_field out_ppoll[] = {
    CTFW_S("ret", 64),     CTFW_U("nfds", 32),  CTFW_U("fds_length", 32),
    CTFW_U("overflow", 8), CTFW_TSDL(poll_fds),
};
static const struct ctfw_field in_epoll[] = {
    CTFW_S("epfd", 32),
    CTFW_S("maxevents", 32),
    CTFW_S("timeout", 32),
};
static const struct ctfw_field out_epoll[] = {
    CTFW_S("ret", 64),
    CTFW_U("fds_length", 32),
    CTFW_U("overflow", 8),
    CTFW_TSDL(epoll_fds),
};
static const struct ctfw_field in_ioctl[] = {
    CTFW_U("fd", 32),
    CTFW_U("cmd", 32),
    CTFW_U("arg", 64),
};
static const struct ctfw_field out_ioctl[] = { CTFW_S("ret", 64), CTFW_U("arg", 64) };
static const struct ctfw_field in_msg[] = {
    CTFW_S("fd", 32),
    CTFW_U("msg", 64),
    CTFW_U("flags", 32),
};
static const struct ctfw_field out_recvmsg[] = { CTFW_S("ret", 64), CTFW_U("msg", 64) };
static const struct ctfw_field in_mmap[] = {
    CTFW_X("addr", 64),  CTFW_U("len", 64), CTFW_S("prot", 32),
    CTFW_S("flags", 32), CTFW_S("fd", 32),  CTFW_S("offset", 64),
};
static const struct ctfw_field out_address[] = { CTFW_X("ret", 64) };
static const struct ctfw_field in_munmap[] = { CTFW_U("addr", 64), CTFW_U("len", 64) };
static const struct ctfw_field in_brk[] = { CTFW_U("brk", 64) };
static const struct ctfw_field in_openat[] = {
    CTFW_S("dfd", 32),
    CTFW_STRING("filename"),
    CTFW_S("flags", 32),
    CTFW_U("mode", 16),
};
static const struct ctfw_field in_clone[] = {
    CTFW_X("flags", 64),
    CTFW_X("newsp", 64),
    CTFW_X("parent_tid", 64),
    CTFW_X("child_tid", 64),
};
static const struct ctfw_field in_execve[] = {
    CTFW_STRING("filename"),
    CTFW_X("argv", 64),
    CTFW_X("envp", 64),
};
static const struct ctfw_field in_wait4[] = { CTFW_S("upid", 32), CTFW_S("options", 32) };
static const struct ctfw_field out_wait4[] = {
    CTFW_S("ret", 64),
    CTFW_U("stat_addr", 64),
    CTFW_U("ru", 64),
};
static const struct ctfw_field in_exit[] = { CTFW_S("error_code", 32) };

const char *const sys_names[SYS_COUNT] = {
#define X(id, name, in, out) [id] = name,
    KERN_SYSCALLS(X)
#undef X
};

static bool recorded(const struct kern *k, const char *name)
{
    for (size_t i = 0; i < k->conf->n_not_recorded; i++)
        if (str_glob(str_of(k->conf->not_recorded[i]), str_of(name)))
            return false;
    for (size_t i = 0; i < k->hc->n_not_recorded; i++)
        if (str_glob(str_of(k->hc->not_recorded[i]), str_of(name)))
            return false;
    return true;
}

static struct ctfw_event *declare(struct kern *k, const char *name, const struct ctfw_field *fields,
                                  size_t n)
{
    return recorded(k, name) ? ctfw_event(k->channel, name, -1, fields, n) : NULL;
}

const struct ctfw_field *kern_context(struct kern *k, size_t *n)
{
    struct ctfw_field *fields = arena_array(&k->mem, struct ctfw_field, KC_CONTEXTS);

    *n = 0;
    for (unsigned i = 0; i < KC_CONTEXTS; i++)
        if (k->conf->context & (1u << i))
            fields[(*n)++] = context_fields[i];
    return *n ? fields : NULL;
}

void kern_declare(struct kern *k)
{
#define X(id, event, fields) \
    if ((id) < EV_NET_GRO)   \
        k->ev[id] = declare(k, event, fields, (fields)[0].name[0] ? ARRAY_SIZE(fields) : 0);
    KERN_EVENTS(X)
#undef X
#define X(id, name, in, out)                                               \
    k->sys_in[id] = declare(k, "syscall_entry_" name, in, ARRAY_SIZE(in)); \
    k->sys_out[id] = declare(k, "syscall_exit_" name, out, ARRAY_SIZE(out));
    KERN_SYSCALLS(X)
#undef X
    /* Last, and only where it happens: the other identifiers stay what they were. */
    if (k->conf->n_connections)
        k->ev[EV_NET_GRO] = declare(k, "net_napi_gro_receive_entry", f_gro, ARRAY_SIZE(f_gro));
    if (k->hc->memory_mb)
        k->ev[EV_OOM_VICTIM] = declare(k, "oom_mark_victim", f_pid, ARRAY_SIZE(f_pid));
}
