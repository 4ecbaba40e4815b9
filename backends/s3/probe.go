package s3

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"strings"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// Finding is what one step of a probe has shown.
type Finding struct {
	Step  string // "put an object"
	Err   error  // nil: it works
	Grant string // IAM actions that the step needs, where it was denied
	Limit string // what users have to do without although it works; "": nothing
}

// probeKey is the beginning of the names that a probe uses, below the prefix.
const probeKey = ".ftpgate-probe-"

// probe tries what the gateway does, on objects of its own.
type probe struct {
	*Backend
	key      string
	etag     string
	findings []Finding
	stopped  bool // ctx has ended, and a finding says so
	stored   bool // there may be objects of the probe
	begun    bool // there may be a multipart upload of the probe
}

func (b *Backend) newProbe() *probe {
	return &probe{Backend: b, key: b.o.Prefix + probeKey + strings.ToLower(rand.Text())}
}

// Probe tries everything that the gateway asks of the store, under a key of its own that
// it deletes in the end, also when ctx ends, and says what fails and what that means. It uploads 10 MiB.
func (b *Backend) Probe(ctx context.Context) (findings []Finding) {
	p := b.newProbe()
	defer func() {
		p.tidy(ctx)
		findings = p.findings
	}()
	if !p.look(ctx) {
		return
	}
	if p.step(ctx, "put an object", p.grantToPut(), p.put) {
		p.step(ctx, "get it", p.grantToGet(), p.get)
		p.step(ctx, "put under a condition", p.grantToPut(), p.putConditionally)
		p.step(ctx, "copy it", p.grantToGet()+", "+p.grantToPut(), p.copy)
		p.step(ctx, "multipart upload", p.grantToPut()+", s3:AbortMultipartUpload", p.multipart)
		p.step(ctx, "delete under a condition", "s3:DeleteObject", p.deleteConditionally)
		p.step(ctx, "delete", "s3:DeleteObject", p.deleteAll)
	}
	p.step(ctx, "list unfinished uploads", "s3:ListBucketMultipartUploads", p.listUploads)
	return
}

// ProbeReading is Probe for a prefix that nobody may change: it stores nothing.
func (b *Backend) ProbeReading(ctx context.Context) []Finding {
	p := b.newProbe()
	if p.look(ctx) {
		p.step(ctx, "get an object", p.grantToGet(), p.getAny)
	}
	return p.findings
}

// look tries what every use needs. It reports whether anything else can work.
func (p *probe) look(ctx context.Context) bool {
	if !p.step(ctx, "find the bucket", "s3:ListBucket", p.findBucket) {
		if err := p.findings[0].Err; errors.Is(err, errSetup) || status(err) == 0 { // nobody has answered
			return false
		}
	}
	p.step(ctx, "list", "s3:ListBucket", p.listPrefix)
	return true
}

func (p *probe) step(ctx context.Context, name, grant string, do func(context.Context) (limit string, err error)) bool {
	if p.stopped {
		return false
	}
	err, limit := ctx.Err(), ""
	if err == nil {
		limit, err = do(ctx)
	}
	p.stopped = err != nil && ctx.Err() != nil
	f := Finding{Step: name, Err: reason(err), Limit: limit}
	if errors.Is(f.Err, fs.ErrPermission) {
		f.Grant = grant
	}
	p.findings = append(p.findings, f)
	return err == nil
}

// reason is why a step has failed: which one it was, and on what, is known.
func reason(err error) error {
	if err == nil {
		return nil
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		err = path.Err
	}
	return translate(err)
}

// tidy deletes what the steps may have left.
func (p *probe) tidy(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), vfs.PublishTimeout)
	defer cancel()
	p.stopped = false
	for _, do := range []struct {
		needed      bool
		name, grant string
		do          func(context.Context) (string, error)
	}{
		{p.begun, "abort what is left of " + p.key, "s3:ListBucketMultipartUploads, s3:AbortMultipartUpload", p.abortAll},
		{p.stored, "delete what is left of " + p.key, "s3:DeleteObject", p.deleteAll},
	} {
		before := len(p.findings)
		if do.needed && p.step(ctx, do.name, do.grant, do.do) {
			p.findings = p.findings[:before] // as it should be
		}
	}
}
