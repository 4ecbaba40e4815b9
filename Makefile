# What can be done here. `make run` and `make test` need Go and make, nothing else.

GO       ?= go
FUZZTIME ?= 30s
BENCH    ?= .
SOAK     ?= 500
COUNT    ?= 1

.PHONY: build run sample test race e2e soak fuzz bench lint clean

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

# The same under the race detector, which needs a C compiler.
race:
	CGO_ENABLED=1 $(GO) test -race ./...

# The binary against installed clients: curl, lftp, ncftp, tnftp, wget, openssl, python3.
# A missing one is skipped with a message, or is a failure with E2E_REQUIRE=1.
e2e:
	$(GO) test -count=1 -tags e2e ./e2e

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

lint:
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "not formatted: $$unformatted"; exit 1; fi
	$(GO) vet -tags e2e ./...
	@if command -v golangci-lint >/dev/null; then golangci-lint run --build-tags e2e ./...; \
	else echo "golangci-lint is not installed: only gofmt and go vet have looked at the code"; fi

# Leaves ./var alone: it may hold files of yours.
clean:
	rm -rf bin
