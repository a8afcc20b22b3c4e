// Runs ONNX models in ONNX Runtime's CPU provider, one thread.
//
//   node run_models.js [--check] < RUNS
//
// Needs onnxruntime-node to be found (NODE_PATH); --check only looks for it. RUNS is one JSON object a
// line: {"model": path, "input": path of f32 values, "dimensions": [N, C, H, W], "output": path to
// write the f32 values of "logits" to}. Answers one line a run: the dimensions of the output.
'use strict';
const fs = require('fs');
const ort = require('onnxruntime-node');

async function run(order) {
  const session = await ort.InferenceSession.create(order.model, {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const bytes = fs.readFileSync(order.input);
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const tensor = new ort.Tensor('float32', values, order.dimensions);
  const logits = (await session.run({input: tensor})).logits;
  fs.writeFileSync(order.output, Buffer.from(logits.data.buffer, logits.data.byteOffset,
                                             logits.data.byteLength));
  console.log(logits.dims.join('x'));
}

async function main() {
  if (process.argv[2] === '--check') return;
  for (const line of fs.readFileSync(0, 'utf8').split('\n')) {
    if (line === '') continue;
    const order = JSON.parse(line);
    try {
      await run(order);
    } catch (error) {
      throw new Error(`${order.model}: ${error.message}`);
    }
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exit(1);
});
