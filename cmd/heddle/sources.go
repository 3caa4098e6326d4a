package main

import (
	"errors"
	"fmt"
	"heddle/definitions/source"
	"net/url"
	"os"
	"slices"
	"strings"
)

// sources is where settings come from, strongest first: flags, variables, defaults. It
// does not change.
type sources struct {
	flags   map[string]string // by flag name, only those that were given
	environ []string          // "NAME=value"
}

// resolved is one setting's value and where it came from.
type resolved struct {
	setting
	Value  string // as written, which may be wrong; "" where it is absent
	Source string // "--flag", the name of the variable, or "default"
}

// shown returns the value as it may be printed: masked where it is secret. Of a database
// URL only the password is.
func (r resolved) shown() string {
	switch {
	case r.Value == "":
		return ""
	case r.Name == "HEDDLE_DATABASE_URL":
		return maskURL(r.Value)
	case r.Secret:
		return "***"
	default:
		return r.Value
	}
}

// maskURL returns the URL with its password hidden, in the user part or in the query,
// and "***" if it cannot be parsed:
//
//	postgres://heddle:sesame@db/heddle  →  postgres://heddle:***@db/heddle
func maskURL(v string) string {
	u, err := url.Parse(v)
	if err != nil {
		return "***"
	}
	// The user's name stays: operators recognize the database by it.
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "***")
	}
	q := u.Query()
	if q.Has("password") {
		q.Set("password", "***")
		u.RawQuery = q.Encode()
	}
	// String escapes the stars in a query.
	return strings.ReplaceAll(u.String(), "%2A%2A%2A", "***")
}

// load resolves every setting. The error names all that are wrong, with what is allowed;
// the values are returned all the same, so that `heddle config` can show them.
func (src sources) load() (settings, []resolved, error) {
	vars := src.variables()
	var s settings
	var all []resolved
	var wrong []error
	for _, def := range table() {
		r, err := src.resolve(def, vars)
		// A setting without a default may be absent; one with a default never is empty.
		if err == nil && (r.Value != "" || def.Default != "") {
			if cause := def.set(&s, r.Value); cause != nil {
				err = fmt.Errorf("%s: %s is not acceptable, %w; allowed: %s", r.Source, quoted(r), cause, def.Allowed)
			}
		}
		if err != nil {
			wrong = append(wrong, err)
		}
		all = append(all, r)
	}
	s.resolved = all
	return s, all, errors.Join(wrong...)
}

// quoted returns the value in quotes, or "its value" for a secret.
func quoted(r resolved) string {
	if r.Secret {
		return "its value"
	}
	return fmt.Sprintf("%q", r.Value)
}

// resolve returns one setting's value and source, the first of these that is there:
//
//	--flag        as given, even if empty
//	NAME_FILE     the file's text, without line breaks at the end; secret settings only
//	NAME          as set, unless empty
//	the default
//
// A variable and its _FILE form together are an error, because neither is stronger.
func (src sources) resolve(def setting, vars map[string]string) (resolved, error) {
	r := resolved{setting: def, Value: def.Default, Source: "default"}
	file, hasFile := vars[def.Name+"_FILE"]
	hasFile = hasFile && def.Secret
	value, has := vars[def.Name]
	// A flag that was given counts even if it is empty; a variable does not.
	if given, ok := src.flags[def.Flag]; ok && def.Flag != "" {
		r.Value, r.Source = given, "--"+def.Flag
		return r, nil
	}
	switch {
	case has && hasFile:
		return r, fmt.Errorf("%s and %s_FILE are both set: unset one of them", def.Name, def.Name)
	case hasFile:
		text, err := os.ReadFile(file)
		r.Source = def.Name + "_FILE"
		if err != nil {
			return r, fmt.Errorf("%s_FILE: %w", def.Name, err)
		}
		// Files that people or orchestrators write end with a line break.
		r.Value = strings.TrimRight(string(text), "\r\n")
	case has:
		r.Value, r.Source = value, def.Name
	}
	return r, nil
}

// variables returns the variables of Heddle and OpenTelemetry in the environment. One
// that is set to the empty string counts as not set; of several with one name the last
// one counts.
func (src sources) variables() map[string]string {
	vars := make(map[string]string)
	for _, pair := range src.environ {
		name, value, _ := strings.Cut(pair, "=")
		if value != "" && (strings.HasPrefix(name, "HEDDLE_") || strings.HasPrefix(name, "WORKFLOW_") || strings.HasPrefix(name, "OTEL_")) {
			vars[name] = value
		}
	}
	return vars
}

// warnings returns a warning for each HEDDLE_ variable that no setting reads, with the
// nearest name that one does read, sorted:
//
//	HEDDLE_LISTN is not a setting and has no effect; did you mean HEDDLE_LISTEN?
//
// Variables with other prefixes may belong to other programs.
func (src sources) warnings() []string {
	var names []string
	for _, def := range table() {
		names = append(names, def.Name)
		if def.Secret {
			names = append(names, def.Name+"_FILE")
		}
	}
	names = append(names, testVariables...)
	names = append(names, "HEDDLE_API_KEY", "HEDDLE_URL", "HEDDLE_KEY", "HEDDLE_CONTEXT") // of the commands that call a server
	var warnings []string
	for name := range src.variables() {
		if !strings.HasPrefix(name, "HEDDLE_") || slices.Contains(names, name) {
			continue
		}
		text := name + " is not a setting and has no effect"
		if near := source.Nearest(name, names); near != "" {
			text += "; did you mean " + near + "?"
		}
		warnings = append(warnings, text)
	}
	slices.Sort(warnings)
	return warnings
}

// testVariables are read by the tests, which start this program. They need no warning.
var testVariables = []string{"HEDDLE_REQUIRE_POSTGRES", "HEDDLE_CRASH_KILLS", "HEDDLE_BENCH_RUNS", "HEDDLE_TEST_CRASH", "HEDDLE_TEST_BREAK"}
