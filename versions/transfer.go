package versions

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/definitions"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/validation"
	"heddle/definitions/workflows"
	"heddle/fault"
	"heddle/idempotency"
	"heddle/internal/exactjson"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"
)

// TransferStore is what a Transfer needs from persistence. Every method is one
// transaction. It reads and changes rows of the named tenant only.
type TransferStore interface {
	// Workflow finds a workflow by id or slug.
	Workflow(ctx context.Context, tenantID, ref string) (workflows.Workflow, error)
	// WorkflowsAfter lists at most limit workflows in the order of their slugs,
	// starting after one ("": from the first); ids nil: all of the tenant's,
	// otherwise those of them that exist.
	WorkflowsAfter(ctx context.Context, tenantID string, ids []string, after string, limit int) ([]workflows.Workflow, error)
	// VersionsAfter lists at most limit versions with their definitions, oldest
	// first, starting after a number (0: from the first).
	VersionsAfter(ctx context.Context, tenantID, workflowID string, after, limit int) ([]Version, error)
	// ImportWorkflow stores a workflow with all its versions and, unless nil, the
	// answer for a repeated request, or nothing. Errors: fault.Conflict slug_taken;
	// id_taken where any tenant has the id; idempotency_key_taken.
	ImportWorkflow(ctx context.Context, w workflows.Workflow, versions []workflows.NewVersion, keep *idempotency.Answer) error
	// Answer returns the answer that ImportWorkflow stored for a scope and a
	// key, or nil.
	Answer(ctx context.Context, tenantID, scope, key string) (*idempotency.Answer, error)
}

// TransferConfig holds what NewTransfer needs.
type TransferConfig struct {
	Store   TransferStore
	Catalog definitions.Catalog // what imported definitions are checked against
	Secrets workflows.Secrets   // nil: nothing is checked for secrets
	NewID   func(prefix string) string
}

// Transfer exports and imports workflows with their whole history, as lines of
// JSON (one workflow per line). It has no state of its own and is safe for
// concurrent use.
type Transfer struct{ cfg TransferConfig }

// NewTransfer returns a Transfer.
func NewTransfer(cfg TransferConfig) *Transfer { return &Transfer{cfg: cfg} }

// ExportRequest selects workflows.
type ExportRequest struct {
	TenantID string
	IDs      []string // nil: all of the tenant's
	WithIDs  bool     // the ids are written as well, and an import keeps them where they are free
}

// How many workflows (without definitions) and versions (with them) an export
// holds in memory at a time. Definitions may be large, so few of them are read
// at once.
const (
	workflowsAtOnce = 100
	versionsAtOnce  = 8
)

// Export writes one line per workflow to out, in the order of their slugs, and
// calls flush after each. It is not a snapshot: a workflow that is created or
// renamed meanwhile may be missing, or, renamed, be written twice. An error
// leaves the lines before it, and possibly a part of one, written. Errors are
// those of the store, of out and of flush.
func (t *Transfer) Export(ctx context.Context, req ExportRequest, out io.Writer, flush func() error) error {
	after := ""
	for {
		list, err := t.cfg.Store.WorkflowsAfter(ctx, req.TenantID, req.IDs, after, workflowsAtOnce)
		if err != nil {
			return fmt.Errorf("export: %w", err)
		}
		for _, w := range list {
			if err := t.exportOne(ctx, w, req.WithIDs, out); err != nil {
				return fmt.Errorf("export %s: %w", w.ID, err)
			}
			if err := flush(); err != nil {
				return err
			}
			after = w.Slug
		}
		if len(list) < workflowsAtOnce {
			return nil
		}
	}
}

// exportOne writes a workflow's line piece by piece, so that no more than
// versionsAtOnce definitions are in memory. Versions that are created meanwhile
// are left out, so that the line is consistent with the workflow as it was
// read. A gap in the numbers is an error: the line could not be imported.
func (t *Transfer) exportOne(ctx context.Context, w workflows.Workflow, withID bool, out io.Writer) error {
	text, err := exactjson.Encode(lineOf(w, withID))
	if err != nil {
		return err
	}
	// The line was encoded with an empty list of versions as its last member,
	// which stays open until all are written.
	if _, err := out.Write(bytes.TrimSuffix(text, []byte("]}"))); err != nil {
		return err
	}
	for number := 0; number < w.LatestVersion; {
		list, err := t.cfg.Store.VersionsAfter(ctx, w.TenantID, w.ID, number, min(versionsAtOnce, w.LatestVersion-number))
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fmt.Errorf("version %d is missing", number+1)
		}
		for _, v := range list {
			if err := writeVersion(out, v); err != nil {
				return err
			}
			number = v.Number
		}
	}
	_, err = io.WriteString(out, "]}\n")
	return err
}

// writeVersion writes one version, with the comma that separates it from the
// one before.
func writeVersion(out io.Writer, v Version) error {
	text, err := exactjson.Encode(lineVersionOf(v))
	if err != nil {
		return err
	}
	if v.Number > 1 {
		text = append([]byte{','}, text...)
	}
	_, err = out.Write(text)
	return err
}

// ConflictPolicy is the rule for a workflow whose slug is taken in the tenant.
type ConflictPolicy string

// The policies. Refuse ends the import at the workflow. Skip leaves it out.
// Rename imports it under the first free slug of slug-2, slug-3, …, of
// maxRenames at most.
const (
	Refuse ConflictPolicy = ""
	Skip   ConflictPolicy = "skip"
	Rename ConflictPolicy = "rename"
)

// ImportedLine is a workflow that an import stored or skipped. Line counts from 1;
// ID is empty for a skipped one.
type ImportedLine struct {
	Line int    `json:"line"`
	ID   string `json:"id,omitempty"`
	Slug string `json:"slug"`
}

// ImportResult lists what an import did, in the order of the lines. No list is
// nil.
type ImportResult struct {
	Imported []ImportedLine
	Skipped  []ImportedLine
}

// ImportRequest describes an import.
type ImportRequest struct {
	TenantID   string
	Lines      io.Reader // read once, to the end or to the first error
	OnConflict ConflictPolicy
	// Key makes each line be stored at most once: a line that an earlier request
	// with the same key stored is reported as imported and not stored again. So a
	// client whose connection broke can repeat the request. Nil: no such promise.
	Key   *ImportKey
	Admit source.Admit // reserves memory for one line at a time
	Quota LineQuota
}

// LineQuota checks lines against the tenant's quota of stored bytes. Both
// functions may be nil. A line counts with its own length.
type LineQuota struct {
	// Check reports whether n further bytes may be stored; its error ends the
	// import.
	Check func(bytes int) error
	// Stored is called after a line of n bytes was stored, but not for one that
	// was skipped or stored before.
	Stored func(bytes int)
}

// ImportKey makes an import repeatable.
type ImportKey struct {
	Scope string    // what the key belongs to, such as the caller and the route
	Key   string    // the request's Idempotency-Key
	At    time.Time // the time of the stored answers, from which they expire
}

// Import reads lines and stores each workflow with its history in one
// transaction. Empty lines are skipped, but counted. It stops at the first line
// that it cannot store; the error names the line, and what was stored before
// remains stored and is in the result. Errors: fault.Malformed invalid_request;
// fault.TooLarge body_too_large; fault.Unacceptable invalid_line,
// secret_in_definition, secret_in_text and those of workflows.Service.Create;
// fault.Conflict slug_taken, idempotency_key_reused; those of req.Admit and
// req.Quota.
func (t *Transfer) Import(ctx context.Context, req ImportRequest) (ImportResult, error) {
	done := ImportResult{Imported: []ImportedLine{}, Skipped: []ImportedLine{}}
	scan := bufio.NewScanner(req.Lines)
	// One byte more than a line may have: that of its end.
	scan.Buffer(make([]byte, 64<<10), MaxLine+1)
	n := 0
	for scan.Scan() {
		n++
		// Files that editors wrote may begin with a byte order mark.
		text := bytes.TrimPrefix(scan.Bytes(), []byte("\xef\xbb\xbf"))
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		if err := t.importWithMemory(ctx, req, n, text, &done); err != nil {
			return done, withLineNumber(err, n)
		}
	}
	err := scan.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		return done, fault.New(fault.TooLarge, "body_too_large", "Line %d: It is longer than %d bytes.", n+1, MaxLine).With("line", n+1)
	}
	return done, withLineNumber(err, n+1)
}

// importWithMemory reserves the memory that a line needs while it is read and
// stored, and releases it before the next line is waited for. n counts lines
// from 1.
func (t *Transfer) importWithMemory(ctx context.Context, req ImportRequest, n int, text []byte, done *ImportResult) error {
	format := source.JSON
	if bytes.Contains(text, []byte(`"source"`)) {
		format = source.YAML // it may hold a text in YAML
	}
	if err := req.Admit.Hold(source.Weight(text, format)); err != nil {
		return err
	}
	return errors.Join(t.importIdempotent(ctx, req, n, text, done), req.Admit.Hold(0))
}

// withLineNumber adds the line's number to an error as the field line; an error
// that is not a fault is returned as it is.
func withLineNumber(err error, n int) error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.With("line", n)
	}
	return err
}

// importWorkflow checks line n and stores its workflow by the conflict policy.
// Where no name is free, the error is what the store answered to the last one
// tried.
func (t *Transfer) importWorkflow(ctx context.Context, req ImportRequest, n int, text []byte, done *ImportResult) error {
	tenantID, on, where := req.TenantID, req.OnConflict, "Line "+strconv.Itoa(n)
	w, all, err := t.read(text, where)
	if err != nil {
		return err
	}
	if err := t.withoutSecrets(ctx, tenantID, w, all); err != nil {
		return locateError(err, where, "")
	}
	w.TenantID = tenantID
	if req.Quota.Check != nil {
		if err := req.Quota.Check(len(text)); err != nil {
			return locateError(err, where, "")
		}
	}
	wanted := w.Slug
	line := importLine{req, n, text}
	w, err = t.store(ctx, w, all, line)
	for i := 2; on == Rename && fault.CodeOf(err) == "slug_taken" && i < maxRenames; i++ {
		w.Slug = t.nextSlug(&w, wanted, i)
		w, err = t.store(ctx, w, all, line)
	}
	if on == Skip && fault.CodeOf(err) == "slug_taken" {
		done.Skipped = append(done.Skipped, ImportedLine{Line: n, Slug: w.Slug})
		return nil
	}
	if err != nil {
		return locateError(err, where, "")
	}
	if req.Quota.Stored != nil {
		req.Quota.Stored(len(text))
	}
	done.Imported = append(done.Imported, ImportedLine{Line: n, ID: w.ID, Slug: w.Slug})
	return nil
}

// withoutSecrets refuses a workflow whose definitions, or the other texts that
// everyone with view access sees, hold the value of one of the tenant's
// secrets: fault.Unacceptable secret_in_definition, secret_in_text.
func (t *Transfer) withoutSecrets(ctx context.Context, tenantID string, w workflows.Workflow, all []workflows.NewVersion) error {
	if t.cfg.Secrets == nil {
		return nil
	}
	shown := map[string]any{"slug": w.Slug, "id": w.ID, "tags": w.Tags}
	if err := t.withoutSecretText(ctx, tenantID, "The workflow", shown); err != nil {
		return err
	}
	for _, v := range all {
		holds, err := workflows.HoldsSecret(ctx, t.cfg.Secrets, tenantID, v.Definition, v.Written)
		if err != nil {
			return err
		}
		if holds {
			return fault.New(fault.Unacceptable, "secret_in_definition",
				"Version %d holds the value of a secret; write {{ secrets.NAME }} in its place.", v.Number)
		}
		shown := map[string]any{"label": v.Label, "change_summary": v.ChangeSummary, "created_by": v.CreatedBy}
		if err := t.withoutSecretText(ctx, tenantID, "Version "+strconv.Itoa(v.Number), shown); err != nil {
			return err
		}
	}
	return nil
}

// withoutSecretText refuses fields that hold the value of a secret; the error names
// the first in alphabetical order, so that it is always the same.
func (t *Transfer) withoutSecretText(ctx context.Context, tenantID, whose string, fields map[string]any) error {
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		text, err := json.Marshal(fields[field])
		if err != nil {
			return err
		}
		holds, err := t.cfg.Secrets.Holds(ctx, tenantID, text)
		if err != nil {
			return err
		}
		if holds {
			return fault.New(fault.Unacceptable, "secret_in_text",
				"%s: %s holds the value of a secret, and is shown to everybody who may see this; leave it out.", whose, field)
		}
	}
	return nil
}

// maxRenames bounds the search for a free slug with ConflictPolicy Rename.
const maxRenames = 1000

// nextSlug returns the wanted slug with the number i, within 64 characters. A
// workflow without a slug of its own, whose slug is its id, gets a new id
// instead, in w too.
func (t *Transfer) nextSlug(w *workflows.Workflow, wanted string, i int) string {
	if workflowID.MatchString(wanted) {
		w.ID = t.cfg.NewID("wf_")
		return w.ID
	}
	tail := "-" + strconv.Itoa(i)
	return wanted[:min(len(wanted), 64-len(tail))] + tail
}

// store stores a workflow under the id that the line asks for where that is
// free, and under a new one otherwise. The slug, which is the address that
// people use, stays. It returns the workflow as it was stored, or was to be.
func (t *Transfer) store(ctx context.Context, w workflows.Workflow, all []workflows.NewVersion, line importLine) (workflows.Workflow, error) {
	if w.ID == "" {
		w.ID = t.cfg.NewID("wf_")
	}
	err := t.cfg.Store.ImportWorkflow(ctx, w, all, line.answer(w))
	if fault.CodeOf(err) == "id_taken" {
		w.ID = t.cfg.NewID("wf_")
		err = t.cfg.Store.ImportWorkflow(ctx, w, all, line.answer(w))
	}
	return w, err
}

// read reads and checks a line entirely, before any of it is stored: the
// workflow and all versions, numbered from 1. where names the line in errors;
// their pointers start at it.
func (t *Transfer) read(text []byte, where string) (workflows.Workflow, []workflows.NewVersion, error) {
	w, entries, err := parseLine(text)
	if err == nil {
		err = resolveLineID(&w)
	}
	if err == nil {
		w.Tags, err = workflows.CheckImported(w)
	}
	if err != nil {
		return w, nil, locateError(err, where, "")
	}
	all := make([]workflows.NewVersion, len(entries))
	labels := map[string]bool{}
	for i, raw := range entries {
		title, err := t.readVersion(raw, i+1, &all[i])
		if err == nil && all[i].Label != "" && labels[all[i].Label] {
			err = invalidLine("the label %q is given to another version as well.", all[i].Label)
		}
		if err != nil {
			return w, nil, locateError(err, where+", version "+strconv.Itoa(i+1), "/versions/"+strconv.Itoa(i))
		}
		labels[all[i].Label] = true
		if i+1 == w.ActiveVersion {
			w = w.Activate(i+1, title)
		}
	}
	return w, all, nil
}

// readVersion reads and checks one version into into, validating its definition
// as an edit would; a hash that the line states must be the definition's, and so must that of
// a text. It returns what the workflow shows of it when it is active.
func (t *Transfer) readVersion(raw []byte, number int, into *workflows.NewVersion) (workflows.Title, error) {
	v, text, err := parseVersion(raw, number)
	if err != nil {
		return workflows.Title{}, err
	}
	doc, found := validation.Check(text, source.JSON, t.cfg.Catalog)
	if err := validation.Refusal(doc, found); err != nil {
		return workflows.Title{}, locateError(err, "definition", "/definition")
	}
	if v.Hash != "" && v.Hash != doc.Hash {
		return workflows.Title{}, invalidLine("definition_hash is %q, but the definition has %q; correct it or leave it out.", v.Hash, doc.Hash)
	}
	if hash := parser.HashOf(v.Written); v.Written.Given() && hash != doc.Hash {
		return workflows.Title{}, invalidLine("source.text does not mean the definition: its hash is %q, and that of the definition %q; correct it or leave it out.", hash, doc.Hash)
	}
	v.Definition, v.Hash = doc.Canonical, doc.Hash
	*into = v
	return workflows.TitleIn(doc), nil
}
