//go:build linux

package sandbox

import (
	"errors"
	"syscall"
)

// Spec says what to run and how to prepare its process. It crosses a pipe between two
// processes of the same binary, so its form has no version.
type Spec struct {
	Path   string   // of the program
	Args   []string // with argv[0]
	Env    []string // the whole environment
	Dir    string   // working directory
	Remove string   // removed when the server ended first, or told this process to stop; "": none

	Namespaces bool // this process has a PID namespace of its own
	User       int  // user and group that the program gets; 0: those of this process
	RulesetFD  int  // landlock ruleset to enforce, or None
	CgroupFD   int  // cgroup.procs of the cgroup to enter, or None
	Limits     []Limit
	Filter     []byte // seccomp program: an array of struct sock_filter; empty: none
}

// Limit is a resource limit of setrlimit(2), in that resource's unit. The child passes
// Soft and Hard to the kernel as they lie in memory (struct rlimit64).
type Limit struct {
	Resource   int
	Soft, Hard uint64
}

// errSpec means that what came over SpecFD is not a whole spec.
var errSpec = errors.New("sandbox: the order is not readable")

// Encode returns the spec as it is sent over SpecFD: its length in 8 bytes, then its
// fields in order (encoder).
func (o *Spec) Encode() []byte {
	e := encoder{data: make([]byte, 8, 4096)}
	e.text(o.Path)
	e.texts(o.Args)
	e.texts(o.Env)
	e.text(o.Dir)
	e.text(o.Remove)
	e.flag(o.Namespaces)
	e.number(uint64(o.User))
	e.number(uint64(o.RulesetFD))
	e.number(uint64(o.CgroupFD))
	e.number(uint64(len(o.Limits)))
	for _, l := range o.Limits {
		e.number(uint64(l.Resource))
		e.number(l.Soft)
		e.number(l.Hard)
	}
	e.text(string(o.Filter))
	put(e.data[:8], uint64(len(e.data)-8))
	return e.data
}

// readSpec reads one spec of at most 1 GiB from a descriptor. It reads no byte beyond
// it: what follows on SpecFD is its end of file.
func readSpec(fd int) (*Spec, error) {
	var size [8]byte
	if err := readFull(fd, size[:]); err != nil {
		return nil, err
	}
	n := get(size[:])
	if n > 1<<30 {
		return nil, errSpec
	}
	d := decoder{data: make([]byte, n), ok: true}
	if err := readFull(fd, d.data); err != nil {
		return nil, err
	}
	o := &Spec{
		Path: d.text(), Args: d.texts(), Env: d.texts(), Dir: d.text(), Remove: d.text(),
		Namespaces: d.number() != 0, User: int(d.number()), RulesetFD: int(d.number()), CgroupFD: int(d.number()),
	}
	for n := d.count(24); n > 0; n-- {
		o.Limits = append(o.Limits, Limit{Resource: int(d.number()), Soft: d.number(), Hard: d.number()})
	}
	o.Filter = []byte(d.text())
	if !d.ok || len(d.data) > 0 {
		return nil, errSpec
	}
	return o, nil
}

// readFull fills b from a descriptor, or returns errSpec at its end. It is io.ReadFull
// on a raw descriptor: an *os.File would start the runtime's poller in this process.
func readFull(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Read(fd, b)
		switch {
		case err == syscall.EINTR: //nolint:errorlint // an errno of syscall.Read is never wrapped
		case err != nil:
			return err
		case n == 0:
			return errSpec
		default:
			b = b[n:]
		}
	}
	return nil
}

// encoder appends values to data: numbers as 8 bytes, low byte first, texts as their
// length and their bytes, lists as their length and their elements.
type encoder struct{ data []byte }

func (e *encoder) number(v uint64) {
	var b [8]byte
	put(b[:], v)
	e.data = append(e.data, b[:]...)
}

func (e *encoder) flag(v bool) {
	if v {
		e.number(1)
	} else {
		e.number(0)
	}
}

func (e *encoder) text(s string) {
	e.number(uint64(len(s)))
	e.data = append(e.data, s...)
}

func (e *encoder) texts(list []string) {
	e.number(uint64(len(list)))
	for _, s := range list {
		e.text(s)
	}
}

// decoder takes values from the beginning of data. After the first value that is not
// there, ok is false and every further one is zero, so that callers check once.
type decoder struct {
	data []byte
	ok   bool
}

func (d *decoder) number() uint64 {
	if len(d.data) < 8 {
		d.ok, d.data = false, nil
		return 0
	}
	v := get(d.data)
	d.data = d.data[8:]
	return v
}

// count reads the number of elements that follow, of at least size bytes each; 0 where
// data is too short for that many. So no length makes the decoder allocate more than it
// was sent.
func (d *decoder) count(size int) int {
	n := d.number()
	if n > uint64(len(d.data)/size) {
		d.ok, d.data = false, nil
		return 0
	}
	return int(n)
}

func (d *decoder) text() string {
	n := d.count(1)
	s := string(d.data[:n])
	d.data = d.data[n:]
	return s
}

func (d *decoder) texts() []string {
	n := d.count(8)
	list := make([]string, n)
	for i := range list {
		list[i] = d.text()
	}
	return list
}

// put writes v into 8 bytes, low byte first. encoding/binary would do that, but it
// imports reflect, which is initialized too late.
func put(b []byte, v uint64) {
	for i := range 8 {
		b[i] = byte(v >> (8 * i))
	}
}

// get reads what put wrote.
func get(b []byte) uint64 {
	var v uint64
	for i := range 8 {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}
