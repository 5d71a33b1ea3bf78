# The one entry. `make` lists the targets; each works from a fresh clone on Debian 12 and can be
# run twice. What a target needs (packages, real servers) it asks of tools/setup.sh, which answers
# at once when it is there.
#
# Which build is used for what:
#   build/release   programs as users get them: hardened, link-time optimised (build, images,
#                   demo, install) and the benchmarks (bench)
#   build/dev       tests (test, test-fast, e2e): -Og and library assertions on, because a test
#                   run should fail on the first wrong index and rebuild in seconds
#   build/asan      the unit tests and the fuzz targets, which want the same instruments
#   build/tsan tidy coverage   the same sources, other instruments
#
#   JOBS=n          parallel jobs (default: the number of cores)
#   V=1             full compiler command lines

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:

JOBS ?= $(shell nproc)
BUILD := build
PREFIX ?= /usr/local
VERSION = $(shell awk '/^project/ {print $$3}' CMakeLists.txt)
FUZZ ?=
FUZZ_SECONDS := $(or $(SECONDS),60)
BENCH ?=
ARGS ?=

# One compiler cache for all clones: paths are taken relative to the clone, so a second clone of
# the same commit compiles nothing.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
export CCACHE_SLOPPINESS := pch_defines,time_macros
export CCACHE_MAXSIZE ?= 20G
export TRACEKEEPER_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tracekeeper
export LINT_BASE

setup := tools/setup.sh
ninja = cmake --build --preset $(1) -j$(JOBS) $(if $(V),--verbose)
ctest := ctest --output-on-failure -j$(JOBS) --no-tests=error $(if $(V),--verbose)

.PHONY: help setup packages servers build build-tests demo test test-fast e2e images bench lint fmt gen asan \
        tsan fuzz coverage install clean

help: ## list the targets
	@echo 'usage: make TARGET'
	@sed -nE 's/^([a-z][a-z-]*):[^#]*## (.*)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

setup: ## install system packages, build the pinned real servers into the user's cache
	@$(setup) all

packages:
	@$(setup) build-packages

servers: packages
	@$(setup) node-packages
	@$(setup) kube
	@$(setup) images
	@$(setup) helm
	@$(setup) otelcol
	@$(setup) senders
	@$(setup) prometheus
	@$(setup) vault
	@$(setup) postgres

# A build folder is configured once; ninja configures again by itself when a list changes.
$(BUILD)/%/build.ninja: CMakePresets.json
	@cmake --preset $* -Wno-dev
	@touch $@

build: packages $(BUILD)/release/build.ninja ## release programs into build/release/bin
	@$(call ninja,release) --target programs
	@tools/lint/binaries.py $(BUILD)/release/bin

demo: servers build ## the main job, end to end, on a real cluster started here (KEEP=1 leaves it up)
	@tools/demo/demo.sh

build-tests: packages $(BUILD)/dev/build.ninja
	@$(call ninja,dev)

test: servers build-tests ## every test that a change must pass
	@$(ctest) --test-dir $(BUILD)/dev -LE e2e

test-fast: build-tests ## unit and property tests only
	@$(ctest) --test-dir $(BUILD)/dev -L unit

e2e: servers build-tests ## the long tests, on several real nodes
	@echo 'e2e: Argo CD and browser journeys are not written yet; this runs the tests labelled e2e:'
	@ctest --test-dir $(BUILD)/dev -N -L e2e
	@$(ctest) --test-dir $(BUILD)/dev -L e2e

images: build ## container images of the programs into build/images, without a daemon or a registry
	@tools/images/make_program_images.sh $(BUILD)/release/bin $(BUILD)/images $(VERSION)

bench: servers $(BUILD)/release/build.ninja ## benchmarks, table and build/bench/results.json (BENCH=name for one)
	@tools/bench/run.py --jobs $(JOBS) $(if $(BENCH),--bench $(BENCH)) $(ARGS)

lint: packages $(BUILD)/tidy/build.ninja ## style, layers, sizes, generated files (ALL=1: clang-tidy on every file)
	@tools/lint/run.py $(if $(ALL),--all)

fmt: packages ## format every source with clang-format-19
	@tools/lint/format.py --write

gen: packages ## write CRDs and reference documents again from the API types
	@tools/gen.sh

asan: packages $(BUILD)/asan/build.ninja ## unit and property tests under AddressSanitizer and UBSan
	@$(call ninja,asan) --target unit_tests
	@$(ctest) --test-dir $(BUILD)/asan -L unit

tsan: packages $(BUILD)/tsan/build.ninja ## unit and property tests under ThreadSanitizer
	@$(call ninja,tsan) --target unit_tests
	@$(ctest) --test-dir $(BUILD)/tsan -L unit

fuzz: packages $(BUILD)/asan/build.ninja ## fuzz targets, SECONDS each (FUZZ=target SECONDS=60 SEED=1)
	@$(call ninja,asan) --target fuzz_targets
	@tools/fuzz/run.py --build $(BUILD)/asan --seconds $(FUZZ_SECONDS) $(if $(SEED),--seed $(SEED)) $(FUZZ)

coverage: packages $(BUILD)/coverage/build.ninja ## line coverage of the unit tests
	@$(call ninja,coverage) --target unit_tests
	@$(ctest) --test-dir $(BUILD)/coverage -L unit
	@gcovr --root . --object-directory $(BUILD)/coverage --exclude 'tests/' --exclude 'build/' \
	    --print-summary --txt $(BUILD)/coverage/coverage.txt

install: build ## install the release programs (PREFIX=/usr/local, DESTDIR)
	@DESTDIR=$(DESTDIR) cmake --install $(BUILD)/release --prefix $(PREFIX)

clean: ## remove build/ (the caches outside the clone stay)
	@rm -rf $(BUILD)
