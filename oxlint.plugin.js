// House rules that no linter has.

/** `new Date()` of nothing is the present. */
const noPresentTime = {
  create: (context) => ({
    NewExpression: (node) => {
      if (node.callee.name === 'Date' && node.arguments.length === 0)
        context.report({ node, message: 'time is passed in' });
    },
  }),
};

/** `import * as z from 'zod'`, and nothing else of it. */
const zodAsNamespace = {
  create: (context) => ({
    ImportDeclaration: (node) => {
      if (node.source.value !== 'zod' || node.specifiers.every(({ type }) => type === 'ImportNamespaceSpecifier'))
        return;
      const message =
        "write import * as z from 'zod': z as a name brings the messages of every language into the bundle";
      context.report({ node, message });
    },
  }),
};

export default {
  meta: { name: 'switchyard' },
  rules: {
    'no-present-time': noPresentTime,
    'zod-as-namespace': zodAsNamespace,
  },
};
