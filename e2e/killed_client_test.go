package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// uploadChild is set in the environment of a copy of the test program that uploads
// and is then killed.
const uploadChild = "FTPGATE_E2E_UPLOAD"

// underWay is for how long an upload runs, at least, before its client is killed.
const underWay = 200 * time.Millisecond

// order is what the child is to do.
type order struct {
	Server, User, Path string
	Size               int
	Arrive             int  // say so when this many bytes have arrived
	Flow               bool // and go on, instead of waiting there
}

// killClient has a child upload s until n bytes have arrived, and kills it. At one
// third of the file the child is killed while it sends at full speed. It returns
// the child's address.
func killClient(t *testing.T, s *scene, n int) string {
	t.Helper()
	o, err := json.Marshal(order{
		Server: s.g.address["main"].String(), User: s.user(), Path: s.path(),
		Size: len(s.content), Arrive: n, Flow: !s.window && n == len(s.content)/3,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.since = s.g.log.length()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), uploadChild+"="+string(o))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe() // the child waits for its end
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	address, err := bufio.NewReader(out).ReadString('\n')
	cmd.Process.Kill()
	cmd.Wait()
	if err != nil {
		t.Fatalf("the uploading child: %v", err)
	}
	return strings.TrimSpace(address)
}

// childUpload is the child's main function.
func childUpload() (code int) {
	var o order
	if err := json.Unmarshal([]byte(os.Getenv(uploadChild)), &o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	t := &childT{}
	defer t.cleanUp()
	c := login(t, netip.MustParseAddrPort(o.Server), o.User)
	data := c.passive()
	c.do(150, "STOR %s", o.Path)
	all := content(o.Size)
	begun := time.Now()
	data.Write(all[:o.Arrive])
	// A killed client's data connection ends a little before its control connection.
	// The gateway waits for that, the longer the longer the upload took already.
	for c.arrived(o.Arrive); time.Since(begun) < underWay; {
		c.arrived(o.Arrive)
	}
	fmt.Println(c.address())
	if o.Flow {
		data.Write(all[o.Arrive:])
	}
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// childT is what the child has in place of a test.
type childT struct {
	testing.TB
	cleanups []func()
}

func (t *childT) Helper()          {}
func (t *childT) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }
func (t *childT) Fatal(args ...any) {
	fmt.Fprintln(os.Stderr, args...)
	os.Exit(1)
}
func (t *childT) Fatalf(format string, args ...any) { t.Fatal(fmt.Sprintf(format, args...)) }
func (t *childT) cleanUp() {
	for _, f := range t.cleanups {
		f()
	}
}

var noise = sync.OnceValue(func() []byte {
	b := make([]byte, largeUpload)
	rand.NewChaCha8([32]byte([]byte("the same bytes in every process!"))).Read(b)
	return b
})

// content is the first n bytes of a fixed sequence; nobody changes it.
func content(n int) []byte { return noise()[:n:n] }
