package console

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Folders of console/web/src that features may import. All others are features, which know
// nothing of each other; only the files beside the folders join them.
var (
	// pure ones are functions of values, without React; api/lossless is one of them.
	pure   = []string{"status", "time", "layout", "diff", "yaml"}
	shared = append([]string{"api", "ui", "graph", "change", "frame"}, pure...)
)

// sources returns the text of each source file by its path in web/src, tests left out.
func sources(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	root := os.DirFS("web/src")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".ts") && !strings.HasSuffix(name, ".tsx") || strings.Contains(name, ".test.") {
			return err
		}
		text, err := fs.ReadFile(root, name)
		found[name] = string(text)
		return err
	})
	if err != nil || len(found) < 10 {
		t.Fatalf("%d files: %v", len(found), err)
	}
	return found
}

var imports = regexp.MustCompile(`(?:from|import)\s*\(?\s*['"]([^'"]+)['"]`)

// folder returns the first folder of a path in web/src; "" for a file beside the folders.
func folder(name string) string {
	first, _, nested := strings.Cut(name, "/")
	if !nested {
		return ""
	}
	return first
}

func TestFeaturesDoNotImportEachOther(t *testing.T) {
	for name, text := range sources(t) {
		from := folder(name)
		if from == "" {
			continue
		}
		for _, m := range imports.FindAllStringSubmatch(text, -1) {
			target := m[1]
			if !strings.HasPrefix(target, ".") {
				if slices.Contains(pure, from) && (strings.HasPrefix(target, "react") || target == "wouter") {
					t.Errorf("%s is pure, and imports %s", name, target)
				}
				continue
			}
			to := folder(path.Join(path.Dir(name), target))
			switch {
			case to == from || to == "":
			case slices.Contains(pure, from) && !slices.Contains(pure, to) && !strings.HasSuffix(target, "/api/lossless"):
				t.Errorf("%s is pure, and imports %s", name, target)
			case !slices.Contains(shared, to):
				t.Errorf("%s imports %s, which is another feature's: what both need goes to ui/ or api/", name, target)
			case from == "api" && !slices.Contains(pure, to):
				t.Errorf("%s imports %s: api/ knows nothing of what is shown", name, target)
			}
		}
	}
}

// What users wrote becomes text and nothing else, only api/ calls the server, and nothing of
// a session is left in the browser.
func TestSourcesAreWithoutWhatIsNotAllowed(t *testing.T) {
	banned := []struct {
		pattern *regexp.Regexp
		in      string // the folder that may
		why     string
	}{
		{regexp.MustCompile(`dangerouslySetInnerHTML|\.(inner|outer)HTML\b|insertAdjacentHTML|document\.write`), "-", "what users wrote is text, never HTML"},
		{regexp.MustCompile(`\beval\(|new Function\(`), "-", "the page's policy forbids it"},
		{regexp.MustCompile(`\bfetch\(|new EventSource|XMLHttpRequest|sendBeacon`), "api", "only api/ calls the server"},
	}
	for name, text := range sources(t) {
		for _, b := range banned {
			for line := range strings.SplitSeq(text, "\n") {
				if b.pattern.MatchString(line) && folder(name) != b.in && !strings.HasPrefix(strings.TrimSpace(line), "//") {
					t.Errorf("%s: %s: %s", name, b.why, strings.TrimSpace(line))
				}
			}
		}
	}
}
