package layers

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

func TestPackagesKeepTheLayers(t *testing.T) {
	touch(t)
	seen := map[string]bool{}
	for _, tags := range []string{"", "crashpoints"} {
		packages := list(t, tags)
		if len(packages) < 10 {
			t.Fatalf("go list found %d packages", len(packages))
		}
		for _, violation := range Check(packages) {
			if !seen[violation] {
				t.Error(violation)
			}
			seen[violation] = true
		}
	}
}

func TestEveryRowIsAPackage(t *testing.T) {
	touch(t)
	for _, row := range unknown(list(t, "")) {
		t.Errorf("internal/layers has a row for %s, which is not a package", row)
	}
	if got := unknown([]Package{{ImportPath: "heddle/fault"}}); len(got) != len(table)-1 {
		t.Errorf("without packages, %d of %d rows are unknown", len(got), len(table)-1)
	}
}

// The first column of the table of packages in docs/ARCHITECTURE.md is the
// list of packages that this table has.
func TestArchitectureListsEveryPackage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "docs", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(page), "\n## Packages\n")
	section, _, ends := strings.Cut(section, "\n## ")
	if !found || !ends {
		t.Fatal("docs/ARCHITECTURE.md has no section Packages")
	}
	listed := map[string]bool{}
	for line := range strings.Lines(section) {
		cell, _, isRow := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		if !isRow || !strings.HasPrefix(line, "| `") {
			continue
		}
		for name := range strings.SplitSeq(cell, ", ") {
			name = strings.Trim(name, "`*")
			listed[name] = true
			if _, known := table[name]; !known {
				t.Errorf("docs/ARCHITECTURE.md lists %s, which internal/layers does not", name)
			}
		}
	}
	for name := range table {
		if !listed[name] {
			t.Errorf("docs/ARCHITECTURE.md does not list %s", name)
		}
	}
}

func TestPlantedViolations(t *testing.T) {
	for _, c := range []struct {
		name, want string
		p          Package
	}{
		{"unlisted package", "helpers is not listed", Package{ImportPath: "heddle/helpers"}},
		{"leaf imports feature", "events imports heddle/executor", Package{ImportPath: "heddle/events", Imports: []string{"heddle/executor"}}},
		{"edge imports edge", "api imports heddle/store", Package{ImportPath: "heddle/api", Imports: []string{"heddle/store"}}},
		{"gorm outside the store", "executor imports gorm.io/gorm", Package{ImportPath: "heddle/executor", Imports: []string{"gorm.io/gorm"}}},
		{"echo outside api", "steps imports github.com/labstack/echo/v4", Package{ImportPath: "heddle/steps", Imports: []string{"github.com/labstack/echo/v4"}}},
		{"cron outside schedules", "api imports github.com/robfig/cron/v3", Package{ImportPath: "heddle/api", Imports: []string{"github.com/robfig/cron/v3"}}},
		{"expr outside expressions", "definitions imports github.com/expr-lang/expr/ast", Package{ImportPath: "heddle/definitions", Imports: []string{"github.com/expr-lang/expr/ast"}}},
		{"I/O in the core", "executor/machine imports net/http", Package{ImportPath: "heddle/executor/machine", Imports: []string{"net/http"}}},
		{"core test on the wire", "expressions (its tests) imports heddle/api", Package{ImportPath: "heddle/expressions", XTestImports: []string{"heddle/api"}}},
		{"the command as a library", "api imports heddle/cmd/heddle", Package{ImportPath: "heddle/api", Imports: []string{"heddle/cmd/heddle"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Check([]Package{c.p})
			if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
				t.Errorf("got %q, want one beginning with %q", got, c.want)
			}
		})
	}
	fine := Package{
		ImportPath: "heddle/api", Imports: []string{"heddle/executor", "heddle/fault", "net/http"},
		TestImports: []string{"heddle/store"}, XTestImports: []string{"heddle/api", "pgregory.net/rapid"},
	}
	if got := Check([]Package{fine}); len(got) != 0 {
		t.Errorf("refused what is allowed: %q", got)
	}
}

// list returns the module's packages as the go command sees them, because it
// knows build tags and test variants.
func list(t *testing.T, tags string) []Package {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-tags="+tags, "-json=ImportPath,Imports,TestImports,XTestImports", "./...")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var packages []Package
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p Package
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// touch reads every directory in this process. The test cache does not know what
// go list reads, and would otherwise keep an old result.
func touch(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(root, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
