package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"jwtbearer": main}) }

// raceSettings keep programs that were built with the race detector from sleeping a second when they end.
const raceSettings = "GORACE=atexit_sleep_ms=0"

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, raceSettings)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": scriptStatus, "demo": scriptDemo, "interrupt": scriptInterrupt, "replace": scriptReplace,
		},
	})
}

// scriptStatus runs a command that must end with that status: status 2 jwtbearer test.
func scriptStatus(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND...")
	}
	err := ts.Exec(args[1], args[2:]...)
	checkStatus(ts, err, args[0])
}

func checkStatus(ts *testscript.TestScript, err error, want string) {
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit status %d, want %s", got, want)
	}
}

// start starts jwtbearer as the script sees it.
func start(ts *testscript.TestScript, stdout, stderr io.Writer, args []string) *exec.Cmd {
	cmd := exec.Command("jwtbearer", args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), raceSettings}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	ts.Check(cmd.Start())
	return cmd
}

// scriptDemo starts a demo until the script ends, and writes its connection file: demo FILE [FLAG...].
func scriptDemo(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) == 0 {
		ts.Fatalf("usage: demo FILE [FLAG...]")
	}
	r, w, err := os.Pipe()
	ts.Check(err)
	defer r.Close()
	var log bytes.Buffer
	cmd := start(ts, w, &log, append([]string{"demo"}, args[1:]...))
	w.Close()
	ts.Defer(func() {
		ts.Check(cmd.Process.Signal(os.Interrupt))
		if err := cmd.Wait(); err != nil {
			ts.Fatalf("demo: %v: %s", err, log.Bytes())
		}
		ts.Logf("[demo]\n%s", log.Bytes())
	})
	file, err := io.ReadAll(r) // demo closes it as soon as it serves
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), file, 0o600))
}

// scriptInterrupt sends SIGINT as soon as standard error has a text: interrupt STATUS TEXT ARG...
func scriptInterrupt(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: interrupt STATUS TEXT ARG...")
	}
	var stdout bytes.Buffer
	stderr := &watchedBuffer{text: args[1], seen: make(chan struct{})}
	cmd := start(ts, &stdout, stderr, args[2:])
	select {
	case <-stderr.seen:
	case <-time.After(10 * time.Second):
		cmd.Process.Kill()
		ts.Fatalf("no %q within 10 s", args[1])
	}
	ts.Check(cmd.Process.Signal(os.Interrupt))
	err := cmd.Wait()
	ts.Stdout().Write(stdout.Bytes())
	ts.Stderr().Write(stderr.buf.Bytes())
	checkStatus(ts, err, args[0])
}

// A watchedBuffer closes seen when it has got text.
type watchedBuffer struct {
	text string
	seen chan struct{}
	once sync.Once
	buf  bytes.Buffer
}

func (b *watchedBuffer) Write(p []byte) (int, error) {
	n, err := b.buf.Write(p)
	if strings.Contains(b.buf.String(), b.text) {
		b.once.Do(func() { close(b.seen) })
	}
	return n, err
}

// scriptReplace edits a file: replace FILE REGEXP TEXT, where \n in the text is a line break.
func scriptReplace(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: replace FILE REGEXP TEXT")
	}
	old := ts.ReadFile(args[0])
	edited := regexp.MustCompile(args[1]).ReplaceAllString(old, strings.ReplaceAll(args[2], `\n`, "\n"))
	if edited == old {
		ts.Fatalf("%s has no %s", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(edited), 0o600))
}
