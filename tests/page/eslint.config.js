import js from "@eslint/js";

// Run from the repository's root (npm run lint), since eslint sees no file above the folder that it runs in.
export default [
  {
    files: ["src/*/Page/*.js", "tests/page/**/*.js"],
    ...js.configs.recommended,
    linterOptions: { reportUnusedDisableDirectives: "error" },
  },
  {
    files: ["src/*/Page/*.js", "tests/page/**/*.js"],
    rules: {
      "no-undef": "off", // tsc knows the names.
      "no-var": "error",
      "no-shadow": "error",
      "no-else-return": "error",
      "no-implicit-coercion": "error",
      "no-param-reassign": "error",
      "no-unused-expressions": ["error", { allowShortCircuit: true }],
      "default-case-last": "error",
      curly: "error",
      eqeqeq: "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
];
