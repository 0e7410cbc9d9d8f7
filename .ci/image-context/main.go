// Command image-context reads paths, each ended by a zero byte, and prints those that
// .dockerignore of the working directory lets into the build of the image, in the same form. It
// asks the library that BuildKit asks.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "image-context:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	file, err := os.Open(".dockerignore")
	if err != nil {
		return err
	}
	defer file.Close()
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		return err
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return err
	}
	paths := bufio.NewReader(in)
	for {
		path, err := paths.ReadString(0)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		ignored, err := matcher.MatchesOrParentMatches(strings.TrimSuffix(path, "\x00"))
		if err != nil {
			return err
		}
		if !ignored {
			if _, err := io.WriteString(out, path); err != nil {
				return err
			}
		}
	}
}
