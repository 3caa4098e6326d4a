package cli

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"heddle/client"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// defaultURL is the address of a server with default settings on this machine.
const defaultURL = "http://127.0.0.1:8080"

// target is a server and the key for it.
type target struct {
	URL string `json:"url"`
	Key string `json:"key"`
}

// contexts is the file that login writes: servers by name, and which one is used.
type contexts struct {
	Current string            `json:"current"`
	Servers map[string]target `json:"contexts"`
}

// contextsFile returns where contexts are kept: in the user's directory for configuration. A
// usage error where the environment names none.
func (p *Process) contextsFile() (string, error) {
	dir := p.variable("XDG_CONFIG_HOME")
	if dir == "" {
		if dir = p.variable("APPDATA"); dir == "" {
			home := p.variable("HOME")
			if home == "" {
				return "", usagef("there is no directory for contexts: set HOME or XDG_CONFIG_HOME, or HEDDLE_URL and HEDDLE_KEY")
			}
			dir = filepath.Join(home, ".config")
		}
	}
	return filepath.Join(dir, "heddle", "contexts.json"), nil
}

// contexts reads the contexts; none where the file does not exist.
func (p *Process) contexts() (contexts, error) {
	all := contexts{Servers: map[string]target{}}
	file, err := p.contextsFile()
	if err != nil {
		return all, err
	}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		return all, usagef("read the contexts of %s: %w", file, err)
	}
	return all, nil
}

// keep writes the contexts, whole or not at all, so that only the user can read them.
func (p *Process) keep(all contexts) error {
	file, err := p.contextsFile()
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	// CreateTemp makes files that only their owner can read (0600).
	temp, err := os.CreateTemp(filepath.Dir(file), ".contexts-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) //nolint:errcheck // gone already when all went well
	_, err = temp.Write(append(text, '\n'))
	if err := errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return err
	}
	return os.Rename(temp.Name(), file)
}

// target returns the server that a command speaks to: that of --url and HEDDLE_URL with the key
// HEDDLE_KEY, or the context that --context or HEDDLE_CONTEXT names, or the current one. HEDDLE_KEY
// stands for the key of a context too.
func (p *Process) target(o options) (target, error) {
	name := firstOf(o.context, p.variable("HEDDLE_CONTEXT"))
	key := firstOf(p.variable("HEDDLE_KEY"), p.variable("HEDDLE_API_KEY"))
	address := firstOf(o.url, p.variable("HEDDLE_URL"))
	if o.url != "" && o.context != "" {
		return target{}, usagef("--url and --context exclude each other")
	}
	if address != "" && o.context == "" {
		if err := checkURL(address); err != nil {
			return target{}, err
		}
		if key == "" {
			return target{}, usagef("there is no key for %s: set HEDDLE_KEY", address)
		}
		return target{address, key}, nil
	}
	all, err := p.contexts()
	if name == "" && key != "" && (err != nil || all.Current == "") {
		return target{defaultURL, key}, nil
	}
	if err != nil {
		return target{}, err
	}
	if name = firstOf(name, all.Current); name == "" {
		return target{}, usagef("no server is known: heddle login URL stores one, or set HEDDLE_URL and HEDDLE_KEY")
	}
	t, ok := all.Servers[name]
	if !ok {
		return target{}, usagef("there is no context %q; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(all.Servers)), ", "))
	}
	if key != "" {
		t.Key = key
	}
	return t, nil
}

// firstOf returns the first text that is not empty.
func firstOf(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// checkURL refuses what is not the address of a server.
func checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return usagef("an address is a URL such as %s, not %q", defaultURL, address)
	}
	return nil
}

// loginCommand returns login, which stores a server with a key that it accepts.
func (p *Process) loginCommand() *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "login [URL]",
		Short: "Store a server's address and a key for it",
		Long: `Store a server's address and a key for it as a context, and use it from then on.
The key is read from standard input, at a terminal without showing it, and is tried
before it is stored, in a file that only you can read. HEDDLE_URL and HEDDLE_KEY
stand for a context where nothing may be stored.`,
		Args: cobra.MaximumNArgs(1), GroupID: "server",
		RunE: func(cmd *cobra.Command, args []string) error {
			address := defaultURL
			if len(args) > 0 {
				address = strings.TrimRight(args[0], "/")
			}
			return p.login(cmd, name, address)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "the context's name; the server's host unless given")
	return cmd
}

// login reads a key, tries it and stores it.
func (p *Process) login(cmd *cobra.Command, name, address string) error {
	if err := checkURL(address); err != nil {
		return err
	}
	key, err := p.readKey()
	if err != nil {
		return err
	}
	if key == "" {
		return usagef("no key was given: it is read from standard input")
	}
	info, err := client.New(address, key).System.Info(cmd.Context())
	if err != nil {
		return err
	}
	if name == "" {
		u, _ := url.Parse(address) // it was checked
		name = u.Host
	}
	all, err := p.contexts()
	if err != nil {
		return err
	}
	all.Servers[name], all.Current = target{address, key}, name
	if err := p.keep(all); err != nil {
		return err
	}
	fmt.Fprintf(p.Err, "%s: %s, tenant %s, as %s (%s). The context is %s.\n", address, info.Name, info.Tenant, info.Key.Name, info.Key.Role, name)
	return nil
}

// readKey reads one line of standard input; at a terminal it asks and shows nothing.
func (p *Process) readKey() (string, error) {
	if f, ok := p.In.(*os.File); ok && isTerminal(f) {
		fmt.Fprint(p.Err, "API key: ")
		defer fmt.Fprintln(p.Err)
		restore, err := hideInput(f)
		if err != nil {
			return "", err
		}
		defer restore()
	}
	line, err := bufio.NewReader(p.In).ReadString('\n')
	if err != nil && line == "" {
		return "", usagef("no key was given: it is read from standard input")
	}
	return strings.TrimSpace(line), nil
}

// contextCommand returns context, which lists what login stored and says which one is used.
func (p *Process) contextCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "context", Short: "List the servers that are known, and say which one is used", Args: cobra.NoArgs, GroupID: "server",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use: "list", Short: "List the servers that are known", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return p.listContexts() },
	}
	use := &cobra.Command{
		Use: "use NAME", Short: "Use this one from now on", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			all, err := p.contexts()
			if err != nil {
				return err
			}
			if _, ok := all.Servers[args[0]]; !ok {
				return usagef("there is no context %q; there are: %s", args[0], strings.Join(slices.Sorted(maps.Keys(all.Servers)), ", "))
			}
			all.Current = args[0]
			return p.keep(all)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			all, _ := p.contexts() // a shell shows no errors
			return slices.Sorted(maps.Keys(all.Servers)), cobra.ShellCompDirectiveNoFileComp
		},
	}
	cmd.AddCommand(list, use)
	return cmd
}

// listContexts prints the contexts, the current one marked; of a key the last four characters.
func (p *Process) listContexts() error {
	all, err := p.contexts()
	if err != nil {
		return err
	}
	if len(all.Servers) == 0 {
		fmt.Fprintln(p.Err, "There is none; heddle login URL stores one.")
		return nil
	}
	t := newTable("", "NAME", "URL", "KEY")
	for _, name := range slices.Sorted(maps.Keys(all.Servers)) {
		mark, key := "", all.Servers[name].Key
		if name == all.Current {
			mark = "*"
		}
		t.row(mark, name, all.Servers[name].URL, "…"+key[max(0, len(key)-4):])
	}
	return t.write(p.Out, 0)
}
