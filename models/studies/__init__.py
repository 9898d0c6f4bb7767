"""The paper's findings, looked for in small networks: recipes that train, measure and write models/STUDIES.md."""
