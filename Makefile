# The two commands: `make run` (first lessons as pages) and `make test` (everything CI runs).
# Further: make lab, book, bench, soak, install PREFIX=..., uninstall PREFIX=..., generate, format, clean.
PYTHON ?= python3
VENV   ?= .venv
BIN     = $(VENV)/bin
CC     ?= cc
PREFIX ?= /usr/local
BUILD   = build/c

# One C library, three ways: release, asan (address and undefined behaviour), tsan (threads).
VARIANT ?= release
FLAGS_release = -O3
FLAGS_asan = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=undefined
FLAGS_tsan = -O1 -g -fno-omit-frame-pointer -fsanitize=thread
WARNINGS = -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Werror
FLAGS = -std=gnu11 -ffp-contract=off -fno-math-errno -fvisibility=hidden -fPIC -pthread -Icsrc/include -Icsrc $(FLAGS_$(VARIANT))

OUT     = $(BUILD)/$(VARIANT)
SOURCES = $(filter-out csrc/binding/%,$(wildcard csrc/*/*.c))
OBJECTS = $(SOURCES:%.c=$(OUT)/%.o)
LIBRARY = $(OUT)/libdistlab.a
C_TESTS = $(patsubst tests/c/%.c,$(OUT)/%,$(wildcard tests/c/test_*.c))
# What runs threads, and so runs again under the thread sanitizer.
THREAD_TESTS = $(BUILD)/tsan/test_sweep
VERSION = $(shell sed -n 's/^\#define DLAB_VERSION "\(.*\)"/\1/p' csrc/include/distlab/version.h)

.DELETE_ON_ERROR:
.PHONY: run test lab bench soak book lib install uninstall generate generate-check format clean check-c check-threads check-python c-tests venv-test

run: $(VENV)/.notebooks
	$(BIN)/python tools/pages.py build/pages

test: $(VENV)/.test
	tools/prepare.sh $(PYTHON) tests
	$(MAKE) -j2 --output-sync=target check-c check-threads
	$(MAKE) check-python

lab: $(VENV)/.notebooks
	$(BIN)/python -m distlab notebooks build/lab
	cd build/lab && $(abspath $(BIN))/jupyter lab

# All pages, offline; lessons that did not change are not executed again.
book: $(VENV)/.docs
	$(BIN)/python tools/book build/book

bench: $(VENV)/.test lib
	$(BIN)/python benchmarks/run.py

# A million random schedules of Raft without a bug, then each planted bug by the same ones; goes on where it was.
soak: $(VENV)/.test
	mkdir -p build
	$(BIN)/python benchmarks/soak.py --state build/soak.json

generate: $(VENV)/.test
	$(BIN)/python tools/generate.py

generate-check: $(VENV)/.test
	$(BIN)/python tools/generate.py --check

format: $(VENV)/.test
	$(BIN)/clang-format -i $(shell find csrc tests/c benchmarks examples -name '*.[ch]')
	$(BIN)/ruff check --fix -q python tests tools benchmarks examples

# Environments: one folder, rebuilt when the sources of the extension or the package change.
INPUTS = pyproject.toml setup.py $(shell find csrc python notebooks -type f -name '*.[chpit]*' \
           -not -path '*/__pycache__/*' -not -name '*.so' -not -path '*/.ipynb_checkpoints/*')

$(BIN)/python:
	tools/prepare.sh $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check --upgrade pip

$(VENV)/.notebooks: $(BIN)/python $(INPUTS)
	rm -rf build/lib* build/temp* build/bdist*
	$(BIN)/pip install -q --disable-pip-version-check '.[notebooks]'
	touch $@

$(VENV)/.docs: $(BIN)/python $(INPUTS)
	rm -rf build/lib* build/temp* build/bdist*
	$(BIN)/pip install -q --disable-pip-version-check '.[docs]'
	touch $@

$(VENV)/.test: $(BIN)/python $(INPUTS)
	rm -rf build/lib* build/temp* build/bdist*
	$(BIN)/pip install -q --disable-pip-version-check '.[test]'
	touch $@

# The core for plain C.
lib: $(LIBRARY)

$(LIBRARY): $(OBJECTS)
	rm -f $@
	$(AR) rcs $@ $^

$(OUT)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(WARNINGS) $(CFLAGS) -MMD -MP -c $< -o $@

$(OUT)/test_%: tests/c/test_%.c $(LIBRARY)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(CFLAGS) -MMD -MP $< $(LIBRARY) -lcmocka -lm -o $@

-include $(OBJECTS:.o=.d) $(C_TESTS:=.d)

# Library, headers and pkg-config file for plain C: needs a C compiler and make, no Python. PREFIX may be
# relative to here; DESTDIR goes in front of it (packagers). A warning of an unknown compiler is no reason to stop.
PLACE  = $(patsubst ~/%,$(HOME)/%,$(PREFIX))
ROOTED = $(if $(filter /%,$(PLACE)),$(PLACE),$(CURDIR)/$(PLACE))
TARGET = $(DESTDIR)$(ROOTED)
ifneq ($(filter install uninstall,$(MAKECMDGOALS)),)
ifeq ($(PREFIX),)
$(error PREFIX is empty: name a directory, for example make install PREFIX=$$HOME/.local)
endif
ifneq ($(words x$(ROOTED)x),1)
$(error PREFIX = '$(ROOTED)' has a space in it, which pkg-config and compiler flags do not survive)
endif
ifneq ($(findstring ',$(TARGET)),)
$(error PREFIX or DESTDIR = '$(TARGET)' has a quote in it)
endif
endif

install: WARNINGS := $(filter-out -Werror,$(WARNINGS))
install: $(LIBRARY)
	install -d '$(TARGET)/include/distlab' '$(TARGET)/lib/pkgconfig'
	install -m 644 csrc/include/distlab/*.h '$(TARGET)/include/distlab'
	install -m 644 $(LIBRARY) '$(TARGET)/lib'
	printf '%s\n' 'prefix=$(ROOTED)' 'includedir=$${prefix}/include' 'libdir=$${prefix}/lib' '' 'Name: distlab' \
	    'Description: laboratory for distributed systems' 'Version: $(VERSION)' 'Cflags: -I$${includedir}' \
	    'Libs: -L$${libdir} -ldistlab -lm -pthread' > '$(TARGET)/lib/pkgconfig/distlab.pc'

uninstall:
	rm -rf '$(TARGET)/include/distlab'
	rm -f '$(TARGET)/lib/libdistlab.a' '$(TARGET)/lib/pkgconfig/distlab.pc'

# C tests: built and run in one variant; a sanitizer that is not in the binary is a failure.
c-tests: $(C_TESTS)
	tools/run_c_tests.sh $(VARIANT) $(C_TESTS)

check-c:
	$(MAKE) VARIANT=asan c-tests

check-threads:
	$(MAKE) VARIANT=tsan $(THREAD_TESTS)
	tools/run_c_tests.sh tsan $(THREAD_TESTS)

check-python:
	$(BIN)/python -m pytest tests -n 2 -q

clean:
	rm -rf build dist *.egg-info python/*.egg-info
