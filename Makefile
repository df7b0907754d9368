# Thin: every target is one line of tools/; meson.build has the build itself.
#
#   make            builds build/neph            make demo     a first result in a minute
#   make test       every test, counted          make lint     what a reviewer would say first
#   make bench      the benchmarks               make fuzz     FUZZ_SECONDS= per target
#   make accept     rewrites the golden files    make install  DESTDIR= PREFIX=
#   make deps       installs Debian packages     make analyze  gcc -fanalyzer
#   make format     lays the C files out         make clean
#   make bench-diagnosis   what the diagnosis finds in drawn clouds with known faults
#
# T="name ..." limits test and accept, BENCH="name ..." limits bench,
# DIAGNOSIS="--runs N ..." is for bench-diagnosis.
# demo, test, lint, bench, fuzz and accept see to what they need first, as deps
# does; NEPH_NO_DEPS=1 keeps them away from the package manager.

BUILD ?= build
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)

.PHONY: all deps demo test lint format analyze bench bench-diagnosis fuzz accept install clean
.NOTPARALLEL:

all:
	@tools/build $(BUILD)

deps:
	@tools/deps build test

demo: deps
	@tools/build $(BUILD)
	@tools/demo $(BUILD)

test: deps
	@$(PYTHON) tools/run-tests --build $(BUILD) --san $(BUILD)-san $(T)

lint:
	@tools/deps build test lint
	@tools/lint $(BUILD)

format:
	@tools/deps lint
	@tools/lint $(BUILD) format

analyze:
	@tools/deps build test
	@CC=gcc CFLAGS='-fanalyzer' tools/build $(BUILD)-analyzer -Dtests=false

bench:
	@tools/deps build test bench
	@tools/build $(BUILD) -- all bench-programs
	@tools/run-bench $(BUILD) $(BENCH)

bench-diagnosis:
	@tools/deps build
	@tools/build $(BUILD)
	@$(PYTHON) bench/diagnosis.py $(BUILD)/neph $(DIAGNOSIS)

fuzz:
	@tools/deps build test fuzz
	@tools/run-fuzz $(BUILD)-fuzz $(FUZZ_SECONDS) $(T)

accept: deps
	@tools/build $(BUILD)
	@$(PYTHON) tools/golden --accept $(BUILD)/neph $(T)

install:
	@tools/build $(BUILD)-install -Dprefix=$(PREFIX) -Dtests=false
	@DESTDIR='$(DESTDIR)' meson install -C $(BUILD)-install --no-rebuild --quiet

clean:
	rm -rf $(BUILD) $(foreach x,san clang gcc analyzer fuzz install,$(BUILD)-$(x))
