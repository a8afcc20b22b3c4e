#!/usr/bin/env bash
# The directions check passes on an empty tree and fails on each kind of breach.
set -euo pipefail
check=$1
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{common/base,common/rpc,coordinator/{core,cli,composer,service,space,stopping,storage/sqlite,strategy},worker/{agent,engine/onednn},tests}

"$check" "$tree" >/dev/null || { echo "an empty tree is refused"; exit 1; }

expect_breach() { # FILE LINE
  echo "$2" >"$tree/$1"
  if "$check" "$tree" >/dev/null; then
    echo "not caught: $1 with: $2"
    exit 1
  fi
  rm "$tree/$1"
}
expect_fine() { # FILE LINE
  echo "$2" >"$tree/$1"
  "$check" "$tree" >/dev/null || { echo "refused without reason: $1 with: $2"; exit 1; }
  rm "$tree/$1"
}
mv "$tree/coordinator/space" "$tree/coordinator/spaces"
"$check" "$tree" >/dev/null && { echo 'a rule for a folder that is gone is kept'; exit 1; }
mv "$tree/coordinator/spaces" "$tree/coordinator/space"
expect_breach coordinator/core/a.cc '#include "worker/agent/agent.h"'
expect_breach worker/agent/a.h '#include "coordinator/core/dispatcher.h"'
expect_breach common/base/a.h '#include "worker/agent/agent.h"'
for room in core/dispatcher maintenance/data_folder simulation/simulator flags; do
  expect_breach coordinator/cli/a.cc "#include \"coordinator/$room.h\""
done
expect_breach coordinator/cli/a.cc '#include <coordinator/blobs/blobs.h>'
expect_breach coordinator/core/a.cc '#include <sqlite3.h>'
expect_breach coordinator/core/a.cc '#include "SQLiteCpp/Database.h"'
expect_breach coordinator/core/a.cc '#include "coordinator/storage/sqlite/sqlite_store.h"'
expect_breach coordinator/core/a.h '#include <grpcpp/grpcpp.h>'
expect_breach worker/engine/a.h '#include "dnnl.hpp"'
expect_breach worker/engine/a.h '#  include <oneapi/dnnl/dnnl.hpp>'
expect_breach worker/engine/onednn/a.h '#include "dnnl_ocl.hpp"'
expect_breach worker/agent/a.cc '#include "tests/support/fake_clock.h"'
expect_breach worker/agent/a.h 'friend class AgentTest;'
expect_breach worker/agent/a.h 'void SetClockForTesting(Clock* clock);'
expect_fine coordinator/cli/a.cc '#include "coordinator/cli/session.h"'
expect_fine coordinator/cli/a.cc '#include "common/base/status.h"'
expect_fine worker/engine/onednn/a.h '#include "dnnl.hpp"'
expect_fine coordinator/storage/sqlite/a.cc '#include "SQLiteCpp/Database.h"'
expect_fine coordinator/service/a.h '#include "grpcpp/grpcpp.h"'
expect_fine common/rpc/a.h '#include "frontier/v1/job_service.grpc.pb.h"'
echo 'every breach is caught'
