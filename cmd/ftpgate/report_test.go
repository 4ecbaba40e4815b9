package main

import (
	"bytes"
	"encoding/json"
	"testing"
)

// TestObjectIsHarmless: what a server calls a file is no order to the terminal that shows it, as JSON either.
func TestObjectIsHarmless(t *testing.T) {
	var out bytes.Buffer
	r := &report{out: &out, errOut: &out, json: true}
	want := event{Event: "done", Path: "a\x7f\u009b31mü\x1b[0m\U0001F600"}
	r.object(want)
	for _, c := range out.String() {
		if c < ' ' && c != '\n' || c >= 0x7F && c < 0xA0 {
			t.Errorf("%U in %q", c, out.String())
		}
	}
	var got event
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
}
