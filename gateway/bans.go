package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rs/zerolog"

	"github.com/ftpgate/ftpgate/auth"
)

// BanList is every ban of a moment: what the admin endpoint answers, and what
// the file in state_dir holds.
type BanList struct {
	Bans []auth.Ban `json:"bans"`
}

// banFile keeps the bans of a throttle over a restart, in one small file. That it
// cannot be read or written is an error in the log and nothing more: clients
// are served, and new bans are made.
type banFile struct {
	path     string // empty: bans end with the process
	throttle *auth.Throttle
	log      zerolog.Logger
	changed  chan struct{} // holds one note that the file is out of date
}

const (
	banFileName = "bans.json"
	// maxBanFile is more than a full list of bans takes, in bytes.
	maxBanFile = 8 << 20
	// banFileRest is how long the file is left alone after it was written: a list
	// that a botnet fills is not written for each ban.
	banFileRest = time.Second
)

func newBanFile(stateDir string, throttle *auth.Throttle, log zerolog.Logger) *banFile {
	f := &banFile{throttle: throttle, log: log, changed: make(chan struct{}, 1)}
	if stateDir != "" {
		f.path = filepath.Join(stateDir, banFileName)
	}
	return f
}

// note asks for the file to be written. It never waits.
func (f *banFile) note() {
	select {
	case f.changed <- struct{}{}:
	default:
	}
}

// run writes the file when it is out of date, until stop is closed.
func (f *banFile) run(stop <-chan struct{}) {
	for {
		select {
		case <-f.changed:
			f.save()
			select {
			case <-time.After(banFileRest):
			case <-stop:
			}
		case <-stop:
			select {
			case <-f.changed:
				f.save()
			default:
			}
			return
		}
	}
}

// load brings the bans of the last run back. A file that makes no sense is left
// as it is until the next ban replaces it.
func (f *banFile) load() {
	if f.path == "" {
		return
	}
	list, err := readBans(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return
	case err != nil:
		f.log.Error().Err(err).Str("file", f.path).Msg("the bans of the last run cannot be read and are forgotten")
		return
	}
	f.throttle.Restore(list.Bans)
	if n := len(f.throttle.Bans()); n > 0 {
		f.log.Info().Int("bans", n).Str("file", f.path).Msg("bans of the last run still hold")
	}
}

func readBans(path string) (list BanList, err error) {
	file, err := os.Open(path)
	if err != nil {
		return list, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxBanFile+1))
	if err != nil {
		return list, err
	}
	if len(text) > maxBanFile {
		return list, fmt.Errorf("it is larger than %d bytes", maxBanFile)
	}
	err = json.Unmarshal(text, &list)
	return list, err
}

func (f *banFile) save() {
	if f.path == "" {
		return
	}
	if err := writeBans(f.path, BanList{f.throttle.Bans()}); err != nil {
		f.log.Error().Err(err).Str("file", f.path).Msg("the bans cannot be kept for the next run")
	}
}

// writeBans replaces the file at once: whoever reads it, after a crash too, sees the
// old list or the new one.
func writeBans(path string, list BanList) (err error) {
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, "."+banFileName+"-*") // mode 0600: who was banned is nobody's business
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name())
		}
	}()
	_, err = file.Write(append(text, '\n'))
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}
