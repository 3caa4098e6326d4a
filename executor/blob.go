package executor

import (
	"context"
	"time"
)

// The sizes of values that are stored apart from the journal, in bytes.
const (
	// MaxInline is the largest value that an event holds itself.
	MaxInline = 1 << 20
	// MaxBlob is the largest value of all.
	MaxBlob = 64 << 20
	// MaxRunBlobs is how much one run may have stored apart.
	MaxRunBlobs = 256 << 20
)

// Blob is a value of a run that is stored apart. It never changes.
type Blob struct {
	ID          string // blob_ and 24 hex digits
	TenantID    string
	RunID       string
	Size        int64
	SHA256      string // hex
	ContentType string
	CreatedAt   time.Time
}

// BlobStore keeps values too large for the journal. A blob is written before
// the commit that names it (Commit.Blobs) and is nobody's until then.
type BlobStore interface {
	// PutBlob writes a blob in pieces, a transaction each. A cut-off one is
	// left loose.
	PutBlob(ctx context.Context, b Blob, content []byte) error
	// Blob finds a blob that the run's journal names; another tenant's, or one
	// that is loose, is fault.NotFound blob_not_found.
	Blob(ctx context.Context, tenantID, runID, blobID string) (Blob, error)
	// RunBlobs lists the blobs that the run's journal names, by id.
	RunBlobs(ctx context.Context, runID string) ([]Blob, error)
	// BlobChunk reads what is stored together with the byte at offset, from it
	// on: at least one byte before the blob's end, none at it. A blob that is
	// gone is fault.NotFound blob_not_found.
	BlobChunk(ctx context.Context, blobID string, offset int64) ([]byte, error)
	// SweepBlobs removes at most limit loose blobs made before t, but for the
	// spared ones, and counts them.
	SweepBlobs(ctx context.Context, t time.Time, spare []string, limit int) (int, error)
}
