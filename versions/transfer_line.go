package versions

import (
	"encoding/json"
	"errors"
	"fmt"
	"heddle/definitions/parser"
	"heddle/definitions/source"
	"heddle/definitions/workflows"
	"heddle/fault"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	regexp "heddle/internal/lazyregexp"
)

// MaxLine is the maximum length of an import's line in bytes, without the
// line's end.
const MaxLine = 64 << 20

// lineFormat is the version of the line format; an import refuses others.
const lineFormat = 1

// lineTimeFormat is how a line writes times: UTC, milliseconds.
const lineTimeFormat = "2006-01-02T15:04:05.000Z"

// Line is one workflow of an export. What follows from the definitions (name,
// description) is not in it.
type Line struct {
	Format        int              `json:"format"` // lineFormat
	Slug          string           `json:"slug"`
	ID            string           `json:"id,omitempty"` // only where the export was asked for ids
	Status        workflows.Status `json:"status"`
	TriggerType   string           `json:"trigger_type"`
	Tags          []string         `json:"tags"`
	ActiveVersion int              `json:"active_version"`
	CreatedAt     string           `json:"created_at"` // in lineTimeFormat
	UpdatedAt     string           `json:"updated_at"` // in lineTimeFormat
	Versions      []LineVersion    `json:"versions"`   // all of them, oldest first
}

// LineVersion is one version within a Line. Version counts from 1 without gaps;
// Label is null for none.
type LineVersion struct {
	Version        int             `json:"version"`
	Label          *string         `json:"label"`
	ChangeSummary  string          `json:"change_summary"`
	CreatedBy      string          `json:"created_by"`
	CreatedAt      string          `json:"created_at"`
	DefinitionHash string          `json:"definition_hash"`
	Definition     json.RawMessage `json:"definition" kind:"object"`
	Source         *LineSource     `json:"source,omitempty" doc:"The definition as it was written; left out where no text is kept."`
}

// LineSource is the text that a version's definition was written in.
type LineSource struct {
	Format source.Format `json:"format" enum:"yaml,json"`
	Text   string        `json:"text"`
}

// lineOf returns a workflow's line with an empty list of versions.
func lineOf(w workflows.Workflow, withID bool) Line {
	l := Line{
		Format: lineFormat, Slug: w.Slug, Status: w.Status, TriggerType: w.TriggerType, Tags: w.Tags,
		ActiveVersion: w.ActiveVersion, CreatedAt: w.CreatedAt.UTC().Format(lineTimeFormat), UpdatedAt: w.UpdatedAt.UTC().Format(lineTimeFormat),
		Versions: []LineVersion{},
	}
	if withID {
		l.ID = w.ID
	}
	if l.Tags == nil {
		l.Tags = []string{}
	}
	return l
}

// lineVersionOf returns a version as a line writes it.
func lineVersionOf(v Version) LineVersion {
	l := LineVersion{
		Version: v.Number, ChangeSummary: v.ChangeSummary, CreatedBy: v.CreatedBy,
		CreatedAt: v.CreatedAt.UTC().Format(lineTimeFormat), DefinitionHash: v.DefinitionHash, Definition: v.Definition,
	}
	if v.Label != "" {
		l.Label = &v.Label
	}
	if v.Written.Given() {
		l.Source = &LineSource{v.Written.Format, v.Written.Text}
	}
	return l
}

// The members that a line and a version in it must have, and those that they
// may have.
var (
	requiredLineMembers    = []string{"format", "slug", "status", "trigger_type", "tags", "active_version", "created_at", "updated_at", "versions"}
	allowedLineMembers     = append([]string{"id"}, requiredLineMembers...)
	requiredVersionMembers = []string{"version", "change_summary", "created_by", "created_at", "definition"}
	allowedVersionMembers  = append([]string{"label", "definition_hash", "source"}, requiredVersionMembers...)
)

// members reads one object strictly: no duplicate, unknown or missing members.
// The opaque members are checked for their syntax only and may be as long as the
// line; their own readers check the rest. The error names the first member in
// alphabetical order that is unknown. Errors: fault.Malformed invalid_request
// and those of source.ScanJSON.
func members(raw []byte, opaque, takes, needs []string) (map[string]json.RawMessage, error) {
	// The same as for a request's body, but for the size: a line holds a whole
	// history.
	limits := source.RequestLimits()
	limits.Bytes, limits.Opaque = MaxLine, opaque
	if err := source.ScanJSON(raw, limits); err != nil {
		return nil, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return nil, malformedLine("It must be a JSON object.")
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(takes, name) {
			return nil, malformedLine("Unknown field %q; remove it. Known are: %s.", name, strings.Join(takes, ", "))
		}
	}
	for _, name := range needs {
		if _, given := object[name]; !given {
			return nil, malformedLine("%s is missing.", name)
		}
	}
	return object, nil
}

// malformedLine returns the error for a line whose JSON does not have the form of a
// Line.
func malformedLine(format string, args ...any) *fault.Error {
	return fault.New(fault.Malformed, "invalid_request", format, args...)
}

// invalidLine returns the error for a line whose values are not allowed.
func invalidLine(format string, args ...any) *fault.Error {
	return fault.New(fault.Unacceptable, "invalid_line", format, args...)
}

// decodeMember decodes one member into into, if it is present; null is allowed
// for the label only. Errors: fault.Malformed invalid_request, in words of JSON
// and not of Go.
func decodeMember(object map[string]json.RawMessage, name string, into any) error {
	raw, given := object[name]
	if !given {
		return nil
	}
	if string(raw) == "null" && name != "label" {
		return malformedLine("%s must not be null.", name)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return malformedLine("%s has the wrong type: it must not be %s.", name, wrong.Value)
		}
		return malformedLine("%s has the wrong form.", name)
	}
	return nil
}

// parseLine reads a line without its versions, which are returned as they are
// written. The workflow has the line's id and no tenant; its title follows from
// the active version's definition. Errors: those of members, and
// fault.Unacceptable invalid_line.
func parseLine(raw []byte) (w workflows.Workflow, versions []json.RawMessage, err error) {
	object, err := members(raw, []string{"versions"}, allowedLineMembers, requiredLineMembers)
	if err != nil {
		return w, nil, err
	}
	var l Line
	err = errors.Join(
		decodeMember(object, "format", &l.Format), decodeMember(object, "slug", &l.Slug), decodeMember(object, "id", &l.ID),
		decodeMember(object, "status", &l.Status), decodeMember(object, "trigger_type", &l.TriggerType), decodeMember(object, "tags", &l.Tags),
		decodeMember(object, "active_version", &l.ActiveVersion), decodeMember(object, "created_at", &l.CreatedAt),
		decodeMember(object, "updated_at", &l.UpdatedAt), decodeMember(object, "versions", &versions),
	)
	if err != nil {
		return w, nil, err // of several errors the caller sees the first
	}
	if l.Format != lineFormat {
		return w, nil, invalidLine("format is %d; this server reads %d.", l.Format, lineFormat)
	}
	if len(versions) == 0 || l.ActiveVersion < 1 || l.ActiveVersion > len(versions) {
		return w, nil, invalidLine("active_version must be one of the %d versions, not %d.", len(versions), l.ActiveVersion)
	}
	w = workflows.Workflow{
		Slug: l.Slug, ID: l.ID, Status: l.Status, TriggerType: l.TriggerType, Tags: l.Tags,
		ActiveVersion: l.ActiveVersion, LatestVersion: len(versions), Revision: 1,
	}
	if w.CreatedAt, err = parseLineTime("created_at", l.CreatedAt); err != nil {
		return w, nil, err
	}
	w.UpdatedAt, err = parseLineTime("updated_at", l.UpdatedAt)
	return w, versions, err
}

// workflowID is the form of a workflow's id.
var workflowID = regexp.MustCompile(`^wf_[0-9a-f]{24}$`)

// resolveLineID checks the id that a line asks for ("": a new one). A slug in
// the form of an id belongs to a workflow without a slug of its own and is its
// id; it wins over the line's. The error is fault.Unacceptable invalid_line.
func resolveLineID(w *workflows.Workflow) error {
	if w.ID != "" && !workflowID.MatchString(w.ID) {
		return invalidLine("id must be wf_ and 24 hexadecimal digits, not %q.", w.ID)
	}
	if workflowID.MatchString(w.Slug) {
		w.ID = w.Slug
	}
	return nil
}

// parseLineTime reads a time of a line (RFC 3339) in the years 1971 to 9998, to
// the millisecond. name is the member's, for the error: fault.Unacceptable
// invalid_line.
func parseLineTime(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || t.Year() < 1971 || t.Year() > 9998 {
		return time.Time{}, invalidLine("%s must be a time such as 2026-01-31T08:00:00.000Z, not %q.", name, text)
	}
	return t.UTC().Truncate(time.Millisecond), nil
}

// maxAuthorLength is the maximum length of created_by, a key's name, in characters.
const maxAuthorLength = 200

// parseVersion reads one version of a line without its definition, which is
// returned as it is written. number is the one that it must have. Errors: those
// of members, checkLabel and workflows.CheckChangeSummary, and
// fault.Unacceptable invalid_line.
func parseVersion(raw []byte, number int) (v workflows.NewVersion, definition json.RawMessage, err error) {
	object, err := members(raw, []string{"definition", "source"}, allowedVersionMembers, requiredVersionMembers)
	if err != nil {
		return v, nil, err
	}
	var l LineVersion
	err = errors.Join(
		decodeMember(object, "version", &l.Version), decodeMember(object, "label", &l.Label), decodeMember(object, "change_summary", &l.ChangeSummary),
		decodeMember(object, "created_by", &l.CreatedBy), decodeMember(object, "created_at", &l.CreatedAt), decodeMember(object, "definition_hash", &l.DefinitionHash),
	)
	if err != nil {
		return v, nil, err
	}
	if l.Version != number {
		return v, nil, invalidLine("versions count from 1 without a gap: %d stands where %d belongs.", l.Version, number)
	}
	if l.Label != nil {
		if err := checkLabel(*l.Label); err != nil {
			return v, nil, err
		}
		v.Label = *l.Label
	}
	if err := workflows.CheckChangeSummary(l.ChangeSummary); err != nil {
		return v, nil, err
	}
	if utf8.RuneCountInString(l.CreatedBy) > maxAuthorLength {
		return v, nil, invalidLine("created_by has at most %d characters.", maxAuthorLength)
	}
	if text, given := object["source"]; given {
		if v.Written, err = parser.ReadWritten(text); err != nil {
			return v, nil, err
		}
	}
	v.Number, v.Hash, v.ChangeSummary, v.CreatedBy = number, l.DefinitionHash, l.ChangeSummary, l.CreatedBy
	v.CreatedAt, err = parseLineTime("created_at", l.CreatedAt)
	return v, object["definition"], err
}

// locateError adds to an error where in an import it is: a prefix of the
// message and of the pointers of its issues. An error that is not a fault is
// wrapped. The fault and its issues are copied; the lists of related pointers
// are not, and are changed in place, so that err must not be used afterwards.
func locateError(err error, where, pointer string) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return fmt.Errorf("%s: %w", where, err)
	}
	c := *f
	c.Message = where + ": " + c.Message
	c.Issues = slices.Clone(c.Issues)
	for i := range c.Issues {
		c.Issues[i].Pointer = pointer + c.Issues[i].Pointer
		for k, p := range c.Issues[i].Related {
			c.Issues[i].Related[k] = pointer + p
		}
	}
	return &c
}
