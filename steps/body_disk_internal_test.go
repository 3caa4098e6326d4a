package steps

import (
	"errors"
	"heddle/executor/machine"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What this server's disk cannot take is not the receiver's fault, and says so without a path.
func TestAFullDiskIsNotTheConnection(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://receiver.example/", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res := &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{}, ContentLength: -1, Request: req,
		Body: io.NopCloser(strings.NewReader(strings.Repeat("x", 3<<20))),
	}
	_, err = newSpool().read(t.Context(), res, nil)
	f, is := machine.AsFailure((&client{}).explain(req, err))
	if !is || f.Error.Code != "response_not_kept" || f.Permanent || strings.Contains(f.Error.Message, "nowhere") ||
		!strings.Contains(f.Error.Message, "no such file") {
		t.Errorf("%v: %+v", err, f)
	}
}

// A full disk is told from a connection that breaks while the file is written.
func TestACopyToTheDiskSaysWhichSideFailed(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("there is no /dev/full here")
	}
	defer full.Close()
	var disk *diskError
	if _, err := io.Copy(onDisk{full}, strings.NewReader("x")); !errors.As(err, &disk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
	broken := io.MultiReader(strings.NewReader(""), errReader{})
	if _, err := io.Copy(onDisk{full}, broken); errors.As(err, &disk) {
		t.Errorf("a broken connection: %v", err)
	}
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, syscall.ECONNRESET }
