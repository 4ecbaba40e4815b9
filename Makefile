# What can be done here. `make run` and `make test` need Go and make, nothing else.

GO       ?= go
FUZZTIME ?= 30s
BENCH    ?= .
SOAK     ?= 500
COUNT    ?= 1

# A real S3 server for tests, not part of go.mod: one on the PATH, or this version.
VERSITYGW_VERSION = v1.8.0
TOOLS            ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ftpgate/versitygw-$(VERSITYGW_VERSION)
find-versitygw    = gw=$$(command -v versitygw) || { gw=$(TOOLS)/versitygw; test -x "$$gw" || \
	GOBIN=$(TOOLS) $(GO) install github.com/versity/versitygw/cmd/versitygw@$(VERSITYGW_VERSION); } || exit 1

.PHONY: build run run-s3 sample test test-s3 test-client race e2e soak fuzz bench bench-s3 bench-client lint clean

# One static binary.
build:
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/ftpgate ./cmd/ftpgate

# The example: a mirror, a drop-box and a user in memory on 127.0.0.1:2121.
run: build sample
	@chmod o-r config.hcl.example # it holds password hashes, if only of "scanner" and "demo"
	@printf '%s\n' '' 'Try, in another terminal:' '' \
		'  curl ftp://127.0.0.1:2121/pub/hello.txt' \
		'  curl -T README.md ftp://scanner:scanner@127.0.0.1:2121/' \
		'  curl -T README.md ftp://demo:demo@127.0.0.1:2121/ && curl ftp://demo:demo@127.0.0.1:2121/' ''
	bin/ftpgate serve --config config.hcl.example

# A bucket over FTP: an S3 server with its data in var/s3, and the gateway in front of it.
run-s3: build
	@$(find-versitygw); mkdir -p var/s3/demo; chmod o-r deploy/s3.hcl; \
	printf '%s\n' '' 'Try, in another terminal, and look into var/s3/demo; Ctrl-C here ends both servers:' '' \
		'  curl -T README.md ftp://s3:s3@127.0.0.1:2121/' \
		'  curl ftp://s3:s3@127.0.0.1:2121/' ''; \
	"$$gw" --port 127.0.0.1:7070 --access demo --secret demo-secret --quiet --keep-alive posix var/s3 & \
	server=$$!; trap 'kill $$server' EXIT; \
	bin/ftpgate serve --config deploy/s3.hcl

# Something to look at, made only where nothing is.
sample:
	@mkdir -p var/mirror/pub/photos var/dropbox
	@test -e var/mirror/README.txt || printf 'This is the sample tree of ftpgate.\nAnyone may read it, nobody may change it.\n' > var/mirror/README.txt
	@test -e var/mirror/pub/hello.txt || printf 'Hello over FTP.\n' > var/mirror/pub/hello.txt
	@test -e 'var/mirror/pub/photos/Grüße vom Meer.txt' || printf 'Names are bytes: spaces and UTF-8 pass unchanged.\n' > 'var/mirror/pub/photos/Grüße vom Meer.txt'
	@test -e var/mirror/pub/numbers.txt || seq 1 100000 > var/mirror/pub/numbers.txt

# Every test that needs nothing but Go.
test:
	$(GO) test ./...

# The S3 backend on a real server too, which is installed if there is none.
# Another one: FTPGATE_TEST_S3_ENDPOINT, FTPGATE_TEST_S3_BUCKET and AWS_* say where.
test-s3:
	@$(find-versitygw); echo "with $$gw"; \
	FTPGATE_TEST_VERSITYGW=$$gw $(GO) test -count=1 ./backends/s3/...

# The FTP client against the servers of others too, as root: pure-ftpd, proftpd, vsftpd and
# pyftpdlib, those that are unpacked below PEERS or installed. A missing one is skipped with a
# message, or is a failure with FTPGATE_TEST_PEERS_REQUIRE=1.
PEERS ?= $(or $(TMPDIR),/tmp)/srv
test-client:
	FTPGATE_TEST_PEERS=$(PEERS) $(GO) test -count=1 -v -run 'Live|Peers' ./protocol/ftpclient/... ./protocol/ftptest/peers
	FTPGATE_TEST_PEERS=$(PEERS) $(GO) test -count=1 -run 'Others|CutPoints' ./backends/ftp

# All tests under the race detector, which needs a C compiler.
race:
	CGO_ENABLED=1 $(GO) test -race -timeout 20m ./...

# The binary against installed clients: curl, lftp, ncftp, tnftp, wget, openssl, python3.
# Its own verbs against the servers of test-client, as root. A missing client or server is
# skipped with a message, or is a failure with E2E_REQUIRE=1.
e2e:
	FTPGATE_TEST_PEERS=$(PEERS) $(GO) test -count=1 -tags e2e ./e2e

# Hostile clients, SOAK of each kind at a time beside one that behaves. It needs some
# 3000 descriptors; `make test` does it with a few of each.
soak:
	$(GO) test -count=1 -v -run '^TestSoak$$' ./gateway -soak $(SOAK)

# Every fuzz target of the module, FUZZTIME each.
fuzz:
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

# All benchmarks; those over the wire are in e2e (docs/performance.md).
# One of them: make bench BENCH=Retr
bench:
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -count $(COUNT) -timeout 60m ./...

# The gateway in front of a real S3 server, next to the SDK alone; ROUNDS of each, in turns.
# Part of it: make bench-s3 FTPGATE_BENCH_S3_ONLY=STOR
ROUNDS ?= 5
bench-s3:
	@$(find-versitygw); FTPGATE_TEST_VERSITYGW=$$gw FTPGATE_BENCH_S3=$(ROUNDS) $(GO) test -count=1 -v -timeout 60m -run '^TestS3Bench$$' ./e2e

# The verbs of the binary next to curl and lftp; ROUNDS of each, in turns.
bench-client:
	FTPGATE_BENCH_CLIENT=$(ROUNDS) $(GO) test -count=1 -v -timeout 60m -run '^TestClientBench$$' ./e2e

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted"; exit 1; fi
	$(GO) vet -tags e2e ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run --build-tags e2e ./...; \
	else echo "golangci-lint is not installed: only gofmt and go vet have looked at the code"; fi

# Leaves ./var alone: it may hold files of yours.
clean:
	rm -rf bin
