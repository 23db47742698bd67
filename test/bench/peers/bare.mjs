// The limit of node:http on this machine: reads the body, answers a constant of the size of a prediction.
import { createServer } from 'node:http';
import process from 'node:process';

const ANSWER =
  '{"sensitivity":"Low","confidence":0.4878382087254183,"prediction_id":"7b1c6d2e-6f0a-4f7e-9f0e-1d7c5a3b2e10","model_version":"medium-1","timestamp":"2026-01-01T00:00:00.000000"}';

createServer((request, response) => {
  request.on('data', () => undefined);
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
  });
}).listen(Number(process.env.PORT), '127.0.0.1');
