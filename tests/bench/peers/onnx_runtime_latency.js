// Batch-1 latency of an ONNX model in ONNX Runtime's CPU provider, one thread.
//
//   node onnx_runtime_latency.js [--profile] MODEL.onnx CHANNELS HEIGHT WIDTH
//
// Needs onnxruntime-node to be found (NODE_PATH). For each line "SECONDS" on standard input: runs that long
// and answers {"call_us": median of the whole call, JavaScript included}. With --profile, which slows the
// call, at the end of input: {"model_run_us": median by ONNX Runtime's own profiler}.
'use strict';
const fs = require('fs');
const os = require('os');
const path = require('path');
const readline = require('readline');
const ort = require('onnxruntime-node');

function median(values) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.floor(sorted.length / 2)];
}

async function main() {
  const profile = process.argv[2] === '--profile';
  const [model, ...shape] = process.argv.slice(profile ? 3 : 2);
  const dims = [1, ...shape.map(Number)];
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'onnx-profile-'));
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    ...(profile ? {enableProfiling: true, profileFilePrefix: path.join(folder, 'p')} : {}),
  });
  const data = new Float32Array(dims.reduce((a, b) => a * b)).map(() => Math.random() - 0.5);
  const feeds = {[session.inputNames[0]]: new ort.Tensor('float32', data, dims)};
  for (let i = 0; i < 200; ++i) await session.run(feeds);
  for await (const line of readline.createInterface({input: process.stdin})) {
    const times = [];
    const end = process.hrtime.bigint() + BigInt(Math.round(Number(line) * 1e9));
    while (process.hrtime.bigint() < end) {
      const begin = process.hrtime.bigint();
      await session.run(feeds);
      times.push(Number(process.hrtime.bigint() - begin) / 1000);
    }
    console.log(JSON.stringify({call_us: median(times), runs: times.length}));
  }
  if (profile) {
    session.endProfiling();
    const file = fs.readdirSync(folder).map((name) => path.join(folder, name))[0];
    const events = JSON.parse(fs.readFileSync(file, 'utf8'));
    const runs = events.filter((event) => event.name === 'model_run').map((event) => event.dur);
    console.log(JSON.stringify({model_run_us: median(runs), runs: runs.length}));
  }
  fs.rmSync(folder, {recursive: true});
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
