// Merges syncs as ConductorOne does, with the compactor of baton-sdk:
// `compact sqlite|pebble OUTPUT_DIRECTORY FILE...`, the base first. Prints the merged file's
// path.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/conductorone/baton-sdk/pkg/dotc1z/c1zstore"
	"github.com/conductorone/baton-sdk/pkg/synccompactor"
)

func main() {
	if len(os.Args) < 5 {
		fmt.Fprintln(os.Stderr, "usage: compact sqlite|pebble OUTPUT_DIRECTORY FILE FILE...")
		os.Exit(2)
	}
	merged, err := compact(context.Background(), c1zstore.Engine(os.Args[1]), os.Args[2], os.Args[3:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(merged)
}

func compact(ctx context.Context, engine c1zstore.Engine, directory string, files []string) (string, error) {
	var syncs []*synccompactor.CompactableSync
	for _, file := range files {
		// Without an id it takes the newest sync of each.
		syncs = append(syncs, &synccompactor.CompactableSync{FilePath: file})
	}
	compactor, cleanUp, err := synccompactor.NewCompactor(ctx, directory, syncs, synccompactor.WithEngine(engine))
	if err != nil {
		return "", err
	}
	defer func() { _ = cleanUp() }()
	merged, err := compactor.Compact(ctx)
	if err != nil {
		return "", err
	}
	return merged.FilePath, nil
}
