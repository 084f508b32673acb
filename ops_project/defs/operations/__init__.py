"""Operations as Dagster objects: the sensor that runs the alert cycle, and the run-failure sensor beside it."""
