//! medlock-deploy
