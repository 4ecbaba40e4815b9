package vfstest

import (
	"fmt"
	"sync"

	"github.com/ftpgate/ftpgate/protocol/vfs"
)

// A backend with a limit: vfs.ErrQuota, nothing lost, everything refunded.
var quota = theme{"quota", []clause{
	{name: "too-big", check: quotaTooBig, limit: quotaLimit},
	{name: "refunded", check: quotaRefunded, limit: quotaLimit},
	{name: "continued", check: quotaContinued, limit: quotaLimit},
	{name: "held", check: held(quotaHeld), limit: quotaLimit},
	{name: "renamed-over", check: quotaRenamedOver, limit: quotaLimit},
	{name: "parallel", check: quotaParallel, limit: quotaLimit},
	{name: "names", check: quotaNames, limit: quotaLimit},
}}

const (
	quotaLimit = 1 << 20
	// quotaSlack is left for what names cost.
	quotaSlack = 64 << 10
)

// overflow writes to name until it fails, as it must, and closes.
func (t *tree) overflow(name string, flag int) {
	t.Helper()
	f, err := t.fs.OpenFile(name, flag, vfs.NewFileMode)
	if err != nil {
		t.fails(err, "opening at the limit", vfs.ErrQuota)
		return
	}
	t.mustAbort(f, flag)
	if flag == vfs.ModeRestart {
		t.seek(f, 1)
	}
	piece := []byte(pattern("overflow", 100_000))
	for total := 0; ; total += len(piece) {
		if _, err = f.Write(piece); err != nil {
			break
		}
		if total > quotaLimit {
			t.Fatalf("wrote %d bytes where %d is the limit", total, quotaLimit)
		}
	}
	t.fails(err, "Write beyond the limit", vfs.ErrQuota)
	t.fails(f.Close(), "Close after Write beyond the limit", vfs.ErrQuota)
}

func quotaTooBig(t *tree) {
	t.put("/old", pattern("old", 200_000))
	before := t.snapshot()
	t.overflow("/new", vfs.ModeReplace)
	t.unchanged(before, "a new file beyond the limit")
	for _, flag := range t.modesFor(true) {
		t.overflow("/old", flag)
		t.unchanged(before, "beyond the limit in "+modeName(flag))
	}
	t.put("/fits", pattern("fits", quotaLimit-200_000-quotaSlack))
}

// quotaRefunded: what failed, was aborted or removed counts no more.
func quotaRefunded(t *tree) {
	most := pattern("most", quotaLimit-quotaSlack)
	for range 5 {
		t.overflow("/f", vfs.ModeReplace)
		f := t.open("/f", vfs.ModeReplace)
		t.write(f, most)
		t.abort(f)
		t.put("/f", most)
		t.overflow("/g", vfs.ModeReplace)
		t.holds("/f", most)
		t.ok(t.fs.Remove("/f"), "remove")
	}
	// A refused Close refunds as well.
	for range 5 {
		half := pattern("half", quotaLimit/2-quotaSlack)
		f := t.open("/f", vfs.ModeCreate)
		t.write(f, half)
		t.put("/f", half)
		t.failsSomehow(f.Close(), "an exclusive Close onto a file")
		t.ok(t.fs.Remove("/f"), "remove")
	}
	// Replacing in turn stays within the limit.
	for range 5 {
		t.put("/f", pattern("half", quotaLimit/2-quotaSlack))
	}
}

func quotaContinued(t *tree) {
	if !t.props.Append {
		return
	}
	step := pattern("step", 100_000)
	var want string
	for range (quotaLimit - quotaSlack) / 2 / len(step) {
		f := t.open("/f", vfs.ModeAppend)
		t.write(f, step)
		t.publish(f)
		want += step
	}
	t.overflow("/f", vfs.ModeAppend)
	t.holds("/f", want)
	if t.props.Restart {
		t.overflow("/f", vfs.ModeRestart)
		f := t.begin("/f", vfs.ModeRestart, 1)
		t.publish(f)
		t.holds("/f", want[:1])
		t.put("/g", pattern("most", quotaLimit-quotaSlack))
	}
}

// quotaHeld: what is held counts, and comes back when it is gone.
func quotaHeld(t *tree) {
	most := pattern("most", quotaLimit-quotaSlack)
	t.hold("/f", most)
	t.overflow("/g", vfs.ModeReplace)
	t.isHeld("/f", len(most))
	t.missing("/g")
	t.put("/f", "small")
	t.ok(t.fs.Remove("/f"), "remove")
	half := most[:quotaLimit/2-quotaSlack] // resuming may take a copy
	t.hold("/f", half)
	t.overflow("/g", vfs.ModeReplace)
	f := t.open("/f", vfs.ModeAppend)
	t.publish(f)
	t.holds("/f", half)
	t.ok(t.fs.Remove("/f"), "remove")
	t.put("/g", most)
	t.ok(t.fs.Remove("/g"), "remove")

	if t.setup.Expire != nil {
		t.hold("/f", most)
		t.setup.Expire()
		t.put("/g", most) // the expired one makes room
	}
}

func quotaRenamedOver(t *tree) {
	half := pattern("half", quotaLimit/2-quotaSlack)
	for range 5 {
		t.put("/f", half)
		t.put("/g", "small")
		t.rename("/f", "/g")
		t.holds("/g", half)
		t.rename("/g", "/f")
	}
	t.ok(t.fs.Remove("/f"), "remove")
	t.put("/all", pattern("most", quotaLimit-quotaSlack))
}

// quotaParallel: uploads at the same time never publish more than the limit together.
func quotaParallel(t *tree) {
	const size = quotaLimit / 4
	for range 5 {
		errs := make([]error, 16)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				errs[i] = store(t.fs, fmt.Sprintf("/f%d", i), vfs.ModeReplace, pattern("parallel", size-quotaSlack/8))
			})
		}
		wg.Wait()
		total := 0
		for i, err := range errs {
			name := fmt.Sprintf("/f%d", i)
			if err != nil {
				t.fails(err, "an upload beside others", vfs.ErrQuota)
				t.missing(name)
				continue
			}
			total += size - quotaSlack/8
			t.holds(name, pattern("parallel", size-quotaSlack/8))
			t.ok(t.fs.Remove(name), "remove")
		}
		if total > quotaLimit {
			t.Errorf("%d bytes were published where %d is the limit", total, quotaLimit)
		}
	}
	t.put("/all", pattern("all", quotaLimit-quotaSlack))
}

// quotaNames: names count, or else empty files would be free.
func quotaNames(t *tree) {
	for i := range quotaLimit {
		err := store(t.fs, fmt.Sprintf("/f%d", i), vfs.ModeReplace, "")
		if err == nil {
			err = t.fs.Mkdir(fmt.Sprintf("/d%d", i), vfs.NewDirMode)
		}
		if err != nil {
			t.fails(err, "one file or directory too many", vfs.ErrQuota)
			return
		}
		if i > 20_000 {
			t.Errorf("%d empty files and directories cost nothing", 2*i)
			return
		}
	}
}
